"""Read Decidim's open data: proposals and, where they are there, the comments on them.

`path` is the zip of an instance (`<host>-open-data-proposals.csv` inside), a folder with its CSV files (or that zip),
or one proposals CSV. Both vocabularies are known: supports or votes, endorsements or likes, category and scope or
taxonomies. An export holds the proposals of the whole instance: a file `components.csv` (one column `component`) in
the folder names the components that are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from stages.errors import Trouble
from stages.ingest_deliberation import open_data
from stages.ingest_deliberation.clean_text import clean
from stages.ingest_deliberation.conversation import Conversation
from stages.ingest_deliberation.open_data import AGAIN, File, Line
from stages.ingest_deliberation.proposals import Alignment, Proposal, Wordings, conversation

SUPPORTS = ("supports", "votes")  # the older and the newer word
LIKES = (("endorsements/user_endorsements", "endorsements/total_count"), ("likes/user_likes", "likes/total_count"))
PROPOSALS, COMMENTS = ("proposals",), ("proposal_comments", "comments")
PROPOSAL = "Decidim::Proposals::Proposal"
ON = {"true", "t", "1", "yes"}


def read(path: Path, language: str) -> Conversation:
    """Read the open data at `path`; `language` is that of texts whose column names no locale."""
    files = open_data.files(path)
    counts: Counter[str] = Counter()
    main, comments = _tables(path, files)
    components = _components(path)
    header, rows = open_data.read(main, ["id"])
    _check_header(main, header)
    proposals = list(_proposals(rows, header, language, components, counts))
    if not proposals:
        raise Trouble(f"{main.name} holds no proposal to read ({_in_words(counts)}); wanted one per line: {AGAIN}.")
    _check_components(main, components, counts)
    alignments = list(_alignments(comments, counts)) if comments else []
    for file in files:
        if file not in (main, comments):
            counts[f"rows of {file.entity}, which are not read"] += open_data.count(file)
    inputs = {Path(file.name).name: file.sha256 for file in (main, comments) if file}
    return conversation(proposals, alignments, language, by_name=True, side_files=path, quirks=counts, inputs=inputs)


def _tables(path: Path, files: Sequence[File]) -> tuple[File, File | None]:
    """The table of proposals and that of comments on them, by the files' names."""
    main = [file for file in files if file.entity in PROPOSALS]
    if not main and len(files) == 1:
        main = list(files)  # a single CSV may have any name
    if len(main) != 1:
        found = ", ".join(file.entity for file in files[:8]) or "no CSV file"
        count = "several tables of proposals" if main else "no table of proposals"
        raise Trouble(f"{path} has {count} (found: {found}); wanted one '…-open-data-proposals.csv': {AGAIN}.")
    for name in COMMENTS:
        comments = [file for file in files if file.entity == name]
        if len(comments) > 1:
            raise Trouble(f"{path} has several tables of {name}; wanted one: remove the others.")
        if comments:
            return main[0], comments[0]
    return main[0], None


def _components(path: Path) -> frozenset[str]:
    """The components that the user wants; none: all."""
    file = path / open_data.COMPONENTS
    if not path.is_dir() or not file.exists():
        return frozenset()
    table = File(str(file), "components", file.read_bytes())
    wanted = {str(row.number("component")) for row in open_data.read(table, ["component"])[1]}
    if not wanted:
        raise Trouble(f"{file} names no component; wanted one number per line: add them or remove the file.")
    return frozenset(wanted)


def _check_components(main: File, wanted: frozenset[str], counts: Counter[str]) -> None:
    for component in sorted(wanted):
        if not counts.pop(_of(component), 0):
            raise Trouble(f"{main.name} has no proposal of component {component}, which components.csv names; mend it.")


def _of(component: str) -> str:
    return f"proposals of component {component}"


def _check_header(file: File, header: Sequence[str]) -> None:
    for name in ("title", "body"):
        if not any(column == name or column.startswith(f"{name}/") for column in header):
            found = ", ".join(column[:30] for column in header[:8])
            raise Trouble(f"{file.name}, line 1: no column {name} or {name}/<locale> (found: {found}); {AGAIN}.")
    for pair in (SUPPORTS, tuple(names for names, _ in LIKES)):
        if all(name in header for name in pair):
            raise Trouble(f"{file.name}, line 1: both {pair[0]} and {pair[1]}; wanted one of them: {AGAIN}.")


def _proposals(
    rows: Iterator[Line], header: Sequence[str], language: str, components: frozenset[str], counts: Counter[str]
) -> Iterator[Proposal]:
    seen: dict[int, int] = {}
    found: set[str] = set()
    for row in rows:
        id_ = row.number("id")
        if id_ in seen:
            raise row.trouble(f"proposal {id_} is there a second time (first: line {seen[id_]})", "each once", AGAIN)
        seen[id_] = row.line
        if _left_out(row, header, components, counts):
            continue
        component = row.get("component/id")
        found.add(component)
        if components:
            counts[_of(component)] += 1
        yield _proposal(row, header, id_, counts)
    counts["components that the proposals come from"] = len(found)


def _left_out(row: Line, header: Sequence[str], components: frozenset[str], counts: Counter[str]) -> bool:
    """Whether the row is not a proposal of its own; says why in the counts."""
    reason = ""
    if components and row.get("component/id") not in components:
        reason = "proposals of other components, left out"
    elif row.get("is_amend").lower() in ON:
        reason = "amendments to other proposals, left out"
    elif "published_at" in header and not row.get("published_at"):
        reason = "drafts that were never published, left out"
    if reason:
        counts[reason] += 1
    return bool(reason)


def _proposal(row: Line, header: Sequence[str], id_: int, counts: Counter[str]) -> Proposal:
    supports = next((name for name in SUPPORTS if name in header), "")
    return Proposal(
        id=id_,
        place=f"{row.file}, line {row.line}",
        title=_wordings(row, header, "title"),
        body=_wordings(row, header, "body"),
        state=row.get("state"),
        withdrawn=row.get("withdrawn").lower() in ON or bool(row.get("withdrawn_at")),
        supports=row.number(supports) if supports and row.get(supports) else None,
        likes=_likes(row, header, counts),
        author=_person(row),
    )


def _wordings(row: Line, header: Sequence[str], name: str) -> Wordings:
    """The cells of `title`, `title/ca`, `title/machine_translations/es` that hold something."""
    human, machine = {}, {}
    for column in header:
        parts = column.split("/")
        if parts[0] != name or not row.get(column):
            continue
        if len(parts) == 3 and parts[1] == "machine_translations":
            machine[parts[2]] = row.values[column]
        elif len(parts) <= 2:
            human[parts[1] if len(parts) == 2 else ""] = row.values[column]
    return Wordings(human, machine)


def _likes(row: Line, header: Sequence[str], counts: Counter[str]) -> tuple[str, ...]:
    """Who liked it: names, joined by commas as Decidim exports lists."""
    for names, total in LIKES:
        if names in header:
            found = [name for name in (clean(part) for part in row.get(names).split(",")) if name]
            wanted = row.number(total) if row.get(total) else len(found)
            if len(found) > wanted:  # a name holds a comma: nobody can tell which
                counts["proposals whose list of likes cannot be told apart, likes left out"] += 1
                return ()
            counts["likes of people without a name, left out"] += wanted - len(found)
            people = tuple(sorted(set(found)))
            counts["likes by the same name on the same proposal, counted once"] += len(found) - len(people)
            return people
    return ()


def _person(row: Line) -> str:
    """The author's raw id: the name (likes tell nothing else), else the number; a group's where one spoke."""
    for prefix in ("user_group", "author"):
        name = f"{prefix}/name"
        said = (cell for key, cell in row.values.items() if cell and (key == name or key.startswith(f"{name}/")))
        names = {clean(cell) for cell in said} - {""}
        if names:
            return min(names)
        if row.get(f"{prefix}/id"):
            return f"{prefix}:{row.get(f'{prefix}/id')}"
    return ""


def _alignments(file: File, counts: Counter[str]) -> Iterator[Alignment]:
    """The comments on proposals; replies to comments say nothing about the proposal."""
    seen: set[int] = set()
    for row in open_data.read(file, ["id", "alignment", "commentable_id", "commentable_type"])[1]:
        id_ = row.number("id")
        if id_ in seen:
            raise row.trouble(f"comment {id_} is there a second time", "each once", AGAIN)
        seen.add(id_)
        if row.get("commentable_type") != PROPOSAL:
            counts["comments on other things than proposals (replies, meetings)"] += 1
            continue
        value = row.get("alignment") or "0"
        if value not in {"-1", "0", "1"}:
            raise row.trouble(f"alignment is {value[:20]!r}", "-1, 0 or 1", "mend the line")
        yield Alignment(row.number("commentable_id"), _person(row), int(value), (_time(row), id_))


def _time(row: Line) -> str:
    """The time in UTC, as text that sorts; the summer's clock change must not put an older comment last."""
    value = row.get("created_at").removesuffix(" UTC").replace(" +", "+").replace(" -", "-")
    if not value:
        return ""  # then the comment's number tells which came last
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        found = f"created_at is {row.get('created_at')[:30]!r}"
        raise row.trouble(found, "a time such as 2021-05-01 10:00:00 UTC", "mend the line") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _in_words(counts: Counter[str]) -> str:
    return "; ".join(f"{number} {name}" for name, number in counts.items() if number) or "an empty table"
