"""The schemas of the results, compared with the library's results and the models."""

from __future__ import annotations

import copy
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Set, Tuple

import jsonschema
import pytest
from conftest import Recording, until

import osslive
from osslive import ChannelConfig, Diagnosis, Highlight, models
from osslive.errors import error_of_json
from osslive.testing import publish

FOLDER = Path(__file__).parents[2] / "schema"
FUNCTIONS: Dict[str, str] = json.loads((FOLDER / "functions.json").read_text())
SCHEMAS: Dict[str, Any] = {
    name: json.loads((FOLDER / name).read_text()) for name in FUNCTIONS.values()
}

HIGHLIGHT = Highlight("all")

#: Functions that convert results to Python objects.
READERS: Dict[str, Callable[[Any], object]] = {
    "done.json": models.Done.of,
    "channel-urls.json": models.ChannelUrls.of,
    "channel.json": models.Channel.of,
    "channel-list.json": models.ChannelList.of,
    "channel-status.json": models.ChannelStatus.of,
    "channel-history.json": models.ChannelHistory.of,
    "history-analysis.json": models.HistoryAnalysis.of,
    "publish-url.json": models.PublishUrl.of,
    "sweep.json": models.Sweep.of,
    "put-results.json": lambda result: [models.PutResult.of(put) for put in result["results"]],
    "highlight-results.json": lambda result: [
        models.HighlightResult.of(HIGHLIGHT, cut) for cut in result["results"]
    ],
    "download.json": models.Download.of,
    "diagnosis.json": Diagnosis.of,
    "changes.json": models.changes_of,
}

#: Values that the models compute themselves, and the attribute for each.
DERIVED: Dict[Tuple[str, str], Tuple[type, str]] = {
    ("Sweep", "total"): (osslive.Sweep, "total"),
    ("Gap", "durationMinutes"): (osslive.Gap, "duration"),
    ("SessionSpan", "durationMinutes"): (osslive.SessionRecord, "duration"),
}

#: Values that they omit: batch calls return a tuple, which has a length; ``text`` contains
#: the message; and the errors of single calls have none of the last three.
OMITTED = {
    ("PutResults", "failed"),
    ("PutResults", "total"),
    ("HighlightResults", "failed"),
    ("HighlightResults", "total"),
    # The caller's highlight has it.
    ("HighlightResult", "name"),
    ("Error", "message"),
    ("Error", "attempts"),
    ("Error", "endpoint"),
    ("Error", "hostId"),
}


class Reading(Dict[str, Any]):
    """An object of a result that records which of its keys were read."""

    def __init__(self, kind: str, known: Set[str], values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.kind, self.known = kind, known
        self.read_keys: Set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read_keys.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read_keys.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.read_keys.add(str(key))
        return super().__contains__(key)


class Samples:
    """Creates values of a schema with every key, one for each alternative."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.whole = schema
        self.made: List[Reading] = []

    def values(self, schema: Mapping[str, Any], kind: str = "") -> List[Any]:
        if "$ref" in schema:
            kind = schema["$ref"].rpartition("/")[2]
            return self.values(self.whole["$defs"][kind], kind)
        if "const" in schema:
            return [schema["const"]]
        if schema.get("type") == "array":
            return [self.values(schema["items"])]
        if "properties" in schema:
            return list(self.objects(schema, kind))
        if "oneOf" in schema:
            return [value for one in schema["oneOf"] for value in self.values(one)]
        plain = {"integer": 1, "number": 1.5, "boolean": True, "string": "text"}
        is_time = schema.get("format") == "date-time"
        return ["2026-11-22T08:16:38Z" if is_time else plain[schema["type"]]]

    def objects(self, schema: Mapping[str, Any], kind: str) -> Iterator[Reading]:
        alternatives = [
            self.resolved(one) for one in schema.get("oneOf", schema.get("anyOf", [{}]))
        ]
        known = {key for one in [schema, *alternatives] for key in one.get("properties", {})}
        for one in alternatives:
            properties = {**schema["properties"], **one.get("properties", {})}
            values = {key: self.values(value)[0] for key, value in properties.items()}
            self.made.append(Reading(kind, known, values))
            yield self.made[-1]

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref", "").rpartition("/")[2]
        return self.whole["$defs"][reference] if reference else schema


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_models_read_exactly_the_keys_of_the_schemas(name: str) -> None:
    samples = Samples(SCHEMAS[name])
    for value in samples.values(SCHEMAS[name], SCHEMAS[name]["title"]):
        READERS[name](value)
    faults = [
        f"{reading.kind}.{key}: "
        + ("not in any schema" if key in reading.read_keys else "not read by models.py")
        for reading in samples.made
        for key in (set(reading) - reading.read_keys) | (reading.read_keys - reading.known)
        if (reading.kind, key) not in {*DERIVED, *OMITTED}
    ]
    assert faults == []


def test_omitted_keys_are_in_a_schema() -> None:
    kinds = {schema["title"]: schema for schema in SCHEMAS.values()}
    kinds.update(
        (kind, of) for schema in SCHEMAS.values() for kind, of in schema.get("$defs", {}).items()
    )
    for kind, key in {*DERIVED, *OMITTED}:
        assert key in kinds[kind]["properties"]
    for owner, attribute in DERIVED.values():
        assert hasattr(owner, attribute)


def test_the_enumerations_have_the_values_of_the_schemas() -> None:
    defs = {kind: of for schema in SCHEMAS.values() for kind, of in schema.get("$defs", {}).items()}

    def spelled(kind: str) -> Set[str]:
        return {one["const"] for one in defs[kind]["oneOf"]}

    assert {state.value for state in osslive.ChannelState} == spelled("ChannelState")
    assert {state.value for state in osslive.StreamState} == spelled("StreamState")
    assert {verdict.value for verdict in osslive.Verdict} == spelled("Verdict")
    kinds = {one["properties"]["change"]["const"] for one in defs["Change"]["oneOf"]}
    assert {kind.value for kind in osslive.ChangeKind} == kinds
    for kind in spelled("ErrorKind"):
        error = error_of_json({"kind": kind, "text": "no", "message": "no", "attempts": 0})
        assert error.kind is not osslive.ErrorKind.INTERNAL


def strict(schema: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns the schema with unknown keys forbidden."""
    strict = copy.deepcopy(dict(schema))
    branches = json.dumps([of.get("anyOf", []) for of in strict.get("$defs", {}).values()])
    for kind, of in strict.get("$defs", {}).items():
        if f"#/$defs/{kind}" not in branches and "properties" in of:
            of["unevaluatedProperties"] = False
    strict["unevaluatedProperties"] = False
    return strict


formats = jsonschema.FormatChecker(())


@formats.checks("date-time", raises=ValueError)
def is_time(text: object) -> bool:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).utcoffset() == timedelta()


def test_the_schemas_are_valid() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator.check_schema(strict(schema))


def test_the_results_of_the_library_match_the_schemas(
    osslive_client: osslive.Client,
    recorded: Recording,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not on PATH")
    client, config = osslive_client, ChannelConfig("Schemas", frag_duration=1)
    client.put_channel("live", config)
    with publish(client.get_rtmp_url("live"), size="320x180", rate=25):
        until(lambda: (video := client.get_channel_status("live").video) and video.bandwidth)
        monitor = client.monitor(["live", "missing"], interval=0.01)
        end = datetime.now().astimezone()
        span = (end - timedelta(hours=1), end)
        calls: Dict[str, List[Callable[[], object]]] = {
            "osslive_put_channel": [lambda: client.put_channel("schemas", config)],
            "osslive_create_channel": [lambda: client.create_channel("schema-created", config)],
            "osslive_get_channel": [lambda: client.get_channel("live")],
            "osslive_list_channels": [
                client.list_channels,
                lambda: client.list_channels(max_keys=1),
            ],
            "osslive_put_channel_status": [
                lambda: client.put_channel_status("schema-created", "disabled")
            ],
            "osslive_get_channel_status": [
                lambda: client.get_channel_status("live"),
                lambda: client.get_channel_status("schema-created"),
            ],
            "osslive_diagnose": [
                lambda: client.diagnose("live"),
                lambda: client.diagnose("missing"),
            ],
            "osslive_wait_until_live": [lambda: client.wait_until_live("live")],
            "osslive_wait_until_idle": [lambda: client.wait_until_idle("schema-created")],
            "osslive_get_channel_history": [lambda: client.get_channel_history(recorded.name)],
            "osslive_analyze_history": [
                lambda: client.analyze_history(recorded.name),
                lambda: client.analyze_history("schema-created"),
            ],
            "osslive_get_publish_url": [lambda: client.get_publish_url("schema-created")],
            "osslive_monitor_channels": [
                lambda: client.monitor_channels(["live", "schema-created", "schemas", "missing"])
            ],
            "osslive_put_channels": [
                lambda: client.put_channels([("schema-created", config), ("a/b", config)])
            ],
            "osslive_create_vod": [lambda: client.create_vod(recorded.name, "vod", *span)],
            "osslive_create_highlights": [
                lambda: client.create_highlights(recorded.name, [HIGHLIGHT, HIGHLIGHT])
            ],
            "osslive_download_recording": [
                lambda: client.download_recording(recorded.name, tmp_path / "show.ts")
            ],
            "osslive_channel_monitor_next_changes": [monitor.next_changes, monitor.next_changes],
            "osslive_channel_monitor_last_sweep": [monitor.last_sweep],
            "osslive_delete_channel": [lambda: client.delete_channel("schema-created")],
        }
        assert set(calls) == set(FUNCTIONS)
        returned: List[str] = []
        loads = json.loads

        def keep(text: str) -> object:
            returned.append(text)
            return loads(text)

        monkeypatch.setattr(json, "loads", keep)
        for function, ways in calls.items():
            schema = strict(SCHEMAS[FUNCTIONS[function]])
            for way in ways:
                returned.clear()
                way()
                (text,) = returned
                jsonschema.Draft202012Validator(schema, format_checker=formats).validate(
                    loads(text)
                )
