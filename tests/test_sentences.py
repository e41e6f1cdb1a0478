"""Every kind of entry is told in one plain sentence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.events import identity
from ledger.events import rights
from ledger.events import training
from ledger.events.registry import KINDS
from ledger.events.types import Body
from ledger.names import Names
from ledger.query import Reader
from ledger.sentences import PARTY_TYPES
from ledger.sentences import ROLES
from ledger.sentences import SIDES
from ledger.sentences import TELLERS
from ledger.sentences import USES
from ledger.sentences import sentence
from ledger.storage.memory import MemoryStore
from ledger.words import Words
from tests.sentence_cases import CASES
from tests.sentence_cases import SOCIETY
from tests.story import NAMES
from tests.story import Story
from tests.story import build_story
from tests.story import names


@pytest.fixture(scope="module")
def story() -> Story:
    return build_story(MemoryStore())


@pytest.fixture(scope="module")
def words(story: Story) -> Words:
    return Words(story.log.state, Names(**names(story)))


STORY = Path(__file__).with_name("story") / "sentences.txt"


def test_the_story_tells_itself(story: Story) -> None:
    """Every entry of a whole log, sentence by sentence."""
    with Reader(story.log.store, Names(**names(story))) as reader:
        told = [entry.sentence for entry in reversed(reader.entries())]
    assert told == STORY.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("author", "kind", "body", "told"), CASES)
def test_a_kind_is_told(
    author: bytes, kind: str, body: Body, told: str, words: Words
) -> None:
    """Each kind, in each of its forms, has its sentence."""
    assert sentence(words, author, kind, body) == told


def test_every_kind_has_a_sentence_and_a_test(story: Story) -> None:
    """No kind of the registry is without its teller, and none is untested."""
    with Reader(story.log.store) as reader:
        told = {entry.kind for entry in reader.entries()}
    assert set(TELLERS) == set(KINDS)
    assert told | {kind for _, kind, _, _ in CASES} == set(KINDS)


def test_what_cannot_be_read_is_said_to_be_so(words: Words) -> None:
    """A body that breaks the form of its kind, or a kind of another level."""
    told = "Society Birch appended an entry that cannot be read as due."
    assert sentence(words, SOCIETY, "due", None) == told
    assert "cannot be read as new.kind" in sentence(words, SOCIETY, "new.kind", None)


def test_without_names_ids_stand_in(story: Story) -> None:
    """Erasing the side store leaves sentences that still say who, by id."""
    with Reader(story.log.store) as reader:
        told = " ".join(entry.sentence for entry in reader.entries())
    assert not any(name in told for name in NAMES.values())
    assert "736f6369 billed 6c61622e SEK" in told


@pytest.mark.parametrize(
    ("words_of", "kind", "field"),
    [
        (ROLES, identity.Accredit, "role"),
        (USES, training.RunOpen, "use"),
        (SIDES, rights.ShareTable, "side"),
        (PARTY_TYPES, identity.Party, "type"),
    ],
)
def test_every_value_of_a_choice_has_words(
    words_of: dict[str, str], kind: type[Body], field: str
) -> None:
    """Whatever an event may choose from can be told."""
    (found,) = [f for f in msgspec.inspect.type_info(kind).fields if f.name == field]  # type: ignore[attr-defined]
    choices = getattr(found.type, "types", [found.type])
    values = {v for choice in choices for v in getattr(choice, "values", ())}
    assert values
    assert values <= set(words_of)
