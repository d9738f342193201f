"""Adding the pictures of parts that people have reviewed.

Promises: a picture goes to the good or to the defective ones by the last finding, once; parts
whose picture is no longer kept are counted.
Never: touches the evidence.
"""

from pathlib import Path

from inspector.core.orders import AddReviewed
from inspector.devices.ledger.reviewed import Reviewed, reviewed
from inspector.domain.keeping import evidence_name, picture_name
from inspector.procedures.proving import in_force
from inspector.procedures.training_pictures import MB, write_whole
from inspector.services.workshop.job import Done, Job

EXTENSIONS = ("jpg", "png")


def add_reviewed(job: Job, _errand: AddReviewed) -> Done:
    """Copy the evidence of the recipe in force. Raises MaintainerError where there is no room, or
    the ledger cannot be read."""
    job.place.make()
    recipe, _ = in_force(job.paths)
    parts = reviewed(job.paths.ledger, recipe)
    added, missing = 0, 0
    for number, part in enumerate(parts, 1):
        picture = _evidence(job.paths.evidence, part)
        if picture is None:
            missing += 1
        else:
            added += _add(job, part, picture)
        good, defective = job.place.counts()
        share = number / len(parts)
        job.tell(step="copying", progress=share, good=good, defective=defective)
    gone = f"; of {missing} no picture is kept" if missing else ""
    return f"{added} pictures of {len(parts)} reviewed parts of {recipe} added{gone}", ""


def _evidence(folder: Path, part: Reviewed) -> Path | None:
    """The part's picture; None where none was kept, or it had to make room."""
    for extension in EXTENSIONS:
        name = evidence_name(part.trigger_wall_ns, part.stream, part.seq, part.kind, extension)
        if (folder / name).is_file():
            return folder / name
    return None


def _add(job: Job, part: Reviewed, picture: Path) -> bool:
    """True when the picture was not there yet."""
    name = Path(picture_name(part.stream, part.seq)).stem
    right, wrong = ("good", "defective") if part.good else ("defective", "good")
    for old in job.place.label(wrong).glob(f"{name}.*"):
        old.unlink()
    if any(job.place.label(right).glob(f"{name}.*")):
        return False
    place = job.place.label(right) / f"{name}{picture.suffix}"
    write_whole(place, picture.read_bytes(), job.config.evidence.keep_free_mb * MB)
    return True
