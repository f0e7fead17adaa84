"""What a source's file tells of its own writing, for ``same``. It may come from a model document of a stranger, so
nothing reaches a writer unchecked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Style = Annotated[str, Field(pattern=r"^(plain|repr|fixed:[0-9]{1,2}|lower|title|upper)$")]
NarrowType = Literal[
    "int8", "int16", "int32", "uint8", "uint16", "uint32", "float", "time32[s]", "time32[ms]", "time64[us]"
]


class Options(BaseModel):
    """Options of one format; what is not named is not the writer's business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DelimitedOptions(Options):
    """How a CSV or TSV was written. `styles`: of numbers and truth values, by column (see `inference`)."""

    delimiter: Annotated[str, Field(pattern=r"^[,;|\t]$")] = ","
    encoding: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,30}$")] = "utf-8"
    header: bool = True
    newline: Literal["\n", "\r\n", "\r"] = "\n"
    styles: dict[str, Style] = {}


class ParquetOptions(Options):
    """`types`: Arrow types of a source that are narrower than those of the study, by column."""

    types: dict[str, NarrowType] = {}


class XportOptions(Options):
    """`member` is the name of the data set inside the file; the encoding is what its bytes were read in."""

    version: Literal[5, 8] = 5
    member: Annotated[str, Field(max_length=32)] = ""
    encoding: Literal["utf-8", "windows-1252"] = "utf-8"


class ExcelOptions(Options):
    """`sheet`: the sheet's name."""

    sheet: Annotated[str, Field(max_length=255)] = ""


class ItemOptions(Options):
    """What Dataset-JSON says of a column beyond `Column`."""

    itemOID: str | None = None
    keySequence: Annotated[int, Field(ge=1)] | None = None


class JsonOptions(Options):
    """The shape of a JSON file; `dataset`, `types` and `items` are those of Dataset-JSON."""

    shape: Literal["records", "tables", "dataset-json"] = "records"
    dataset: dict[str, Any] = {}
    types: dict[str, tuple[str | None, str | None]] = {}
    items: dict[str, ItemOptions] = {}
