"""configs/mqtt/SPARKPLUG.md says what the program does."""

from support.sparkplug_page import PAGE, written

from inspector.core.config_mqtt import Sparkplug
from inspector.domain.egress.sparkplug import Verb
from inspector.domain.sparkplug.names import Names


def test_the_table_of_metrics_is_the_programs_own() -> None:
    assert PAGE.read_text(encoding="utf-8") == written()


def test_every_topic_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = Names(Sparkplug(group="GROUP", node="NODE", device="DEVICE", primary_host="HOST"))
    for topic in (*(names.topic(verb) for verb in Verb), *names.heard):
        assert f"`{topic}`" in page
