"""The JSON documents that a lakehouse keeps: typed, versioned and decoded strictly."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from stedi.contract.errors import BadInput
from stedi.contract.notebooks import LANDING
from stedi.storage import layout

if TYPE_CHECKING:
    from stedi.storage.protocol import Storage


def _checked(is_right: Callable[[str], bool], expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_right(text):
            raise ValueError(f"should be {expected}")
        return text

    return AfterValidator(check)


Id = Annotated[str, _checked(layout.is_id, "an id")]
InsidePath = Annotated[str, _checked(layout.is_inside, "a path in the lakehouse")]
BelowPath = Annotated[str, _checked(layout.is_below, "a name below its folder")]


class Part(BaseModel):
    """A part of a document. A field that is missing, unknown or of another type is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True)


class Document(Part):
    """A whole document. `format` counts its versions; one without was written before there was a second."""

    FORMAT: ClassVar[int] = 1
    format: int = 1

    @classmethod
    def decode(cls, content: dict, name: str) -> Self:
        """The document of that name, from its JSON. Raises BadInput for one that is newer than this, or damaged."""
        version = content.get("format", 1)
        if isinstance(version, int) and version > cls.FORMAT:
            raise BadInput(
                f"{name} has format {version}; this version of stedi reads formats up to {cls.FORMAT}. Update stedi."
            )
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise BadInput(
                f"{name} is damaged, or not ours: {first_fault(error)}. Restore it, or build again from "
                f"notebook {LANDING} on: stedi run --full"
            ) from None

    @classmethod
    def load(cls, lake: "Storage", path: str) -> Self | None:
        """The document at a path of a lakehouse; None where there is none. Raises BadInput, as `decode` does."""
        content = lake.read_json(path)
        return None if content is None else cls.decode(content, lake.url(path))

    @classmethod
    def require(cls, lake: "Storage", path: str) -> Self:
        """The document at a path where there has to be one. Raises BadInput where there is none."""
        document = cls.load(lake, path)
        if document is None:
            raise BadInput(f"{lake.url(path)} is missing. Restore it, or build again. Run notebook {LANDING} first.")
        return document

    def save(self, lake: "Storage", path: str) -> None:
        """Replace the document at a path, all at once."""
        lake.write_json(path, self.model_dump(mode="json"))


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, by its place in the document; its value is not quoted."""
    [first, *_] = error.errors(include_input=False, include_url=False)
    place = ".".join(map(str, first["loc"])) or "the document"
    return f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
