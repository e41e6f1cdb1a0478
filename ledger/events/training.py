"""What was trained, on what, under which licence (format.md §9)."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from msgspec import Meta

from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import Id
from ledger.events.types import Index
from ledger.events.types import ManifestRef
from ledger.events.types import TimeMs
from ledger.events.types import Token
from ledger.events.types import UnsetType

Use = Literal["gen_train", "inference_input", "mining", "other_train", "search"]
Licences = Annotated[list[Index], Meta(max_length=64)]


class Ancestor(Body, frozen=True, kw_only=True):
    """A model version of any lab that another one builds on.

    Attributes:
        lab: whose model.
        model: name of the model.
        version: name of its version.
    """

    lab: Id
    model: Token
    version: Token


class ModelVersion(Body, frozen=True, kw_only=True):
    """A lab names a version of a model and what it descends from.

    Attributes:
        model: the lab's own name of the model.
        parents: versions it was trained further from.
        synthetic: versions whose output it was trained on.
        version: name of this version, new for the model.
    """

    model: Token
    parents: Annotated[list[Ancestor], Meta(max_length=64)]
    synthetic: Annotated[list[Ancestor], Meta(max_length=64)]
    version: Token


class RunOpen(Body, frozen=True, kw_only=True):
    """A training run is about to start; its permission is judged here.

    Attributes:
        dataset: manifest of the recordings to be trained on.
        licences: entries of the grants relied on, ascending; may be empty.
        model: with `version`, the lab's own model version.
        run: the lab's own name of the run, never used before.
        use: canonical use.
        version: with `model`, what is being trained.
    """

    dataset: ManifestRef
    licences: Licences
    model: Token
    run: Token
    use: Use
    version: Token


class RunClose(Body, frozen=True, kw_only=True):
    """A training run is over.

    A run that was never opened brings `dataset`, `licences`, `model`, `use`
    and `version` here, and is judged at this entry.

    Attributes:
        dataset: as in run.open; only if the run was never opened.
        ended: claimed time of the end.
        exposure: manifest of how often each recording was shown.
        licences: the same.
        model: the same.
        run: the lab's own name of the run.
        started: claimed time of the start.
        use: the same.
        version: the same.
    """

    dataset: ManifestRef | UnsetType = UNSET
    ended: TimeMs
    exposure: ManifestRef | UnsetType = UNSET
    licences: Licences | UnsetType = UNSET
    model: Token | UnsetType = UNSET
    run: Token
    started: TimeMs
    use: Use | UnsetType = UNSET
    version: Token | UnsetType = UNSET
