"""What is left when a workshop or its worker was killed.

Promises: nothing half-made stays, in the store or in a product's folder; an adoption that was cut
off after its model was put in use is ended, any other has never been.
Never: removes a picture.
"""

from inspector.core.errors import MaintainerError
from inspector.core.orders import AdoptProduct, ErrandDone
from inspector.core.paths import Paths
from inspector.devices.bundles import Store, find
from inspector.services.workshop.place import Adoption, Place, clear_graves, places

ADOPT = str(AdoptProduct.__struct_config__.tag)


def tidy_all(paths: Paths) -> list[ErrandDone]:
    """Clear everything away; the adoptions that were ended. Raises MaintainerError."""
    clear_graves(paths)
    Store(paths.models).tidy()
    ended = []
    for place in places(paths):
        place.tidy()
        ended += end_adoption(paths, place)
    return ended


def tidy_one(paths: Paths, product: str) -> list[ErrandDone]:
    """`tidy_all`, after an errand about this product alone."""
    Store(paths.models).tidy()
    place = Place(paths, product)
    place.tidy()
    return end_adoption(paths, place)


def end_adoption(paths: Paths, place: Place) -> list[ErrandDone]:
    """The end of an adoption under way, if it has one. Raises MaintainerError."""
    adoption = place.adoption()
    if adoption is None:
        return []
    if not in_use(paths, place.product, adoption.version):
        place.end_adoption()
        return []
    try:
        place.write_recipe(adoption.recipe)
    except OSError as error:
        raise MaintainerError(
            f"{paths.taught_recipes}: cannot be written ({error.strerror}); make room"
        ) from None
    return [_adopted(place.product, adoption)]


def in_use(paths: Paths, model: str, version: str) -> bool:
    """True when this version of the model is in use."""
    try:
        return find(model, paths.models).name == version
    except MaintainerError:
        return False


def _adopted(product: str, adoption: Adoption) -> ErrandDone:
    return ErrandDone(
        order=ADOPT,
        product=product,
        who=adoption.who,
        ok=True,
        text=f"{product}@{adoption.version} in use for recipe {product}",
        recipe=product,
    )
