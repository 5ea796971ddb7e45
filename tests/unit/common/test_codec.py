"""The codec: what goes in comes out, and nothing else comes out but WireError."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pyhad.common import messages as m
from pyhad.common.codec import MAX_BYTES, Alike, Decoder, Rereader, decode, encode
from pyhad.common.config import model
from pyhad.common.errors import WireError
from pyhad.common.sealed import Sealed
from pyhad.common.sealing import packed
from pyhad.common.states import ProcessName

CATALOGUE: tuple[type, ...] = typing.get_args(m.Message)
DECODER = Decoder(CATALOGUE)
DOCUMENTS: tuple[type, ...] = tuple(
    kind for name, kind in vars(model).items() if name.endswith("Document") and dataclasses.is_dataclass(kind)
)
MSGPACK_INTEGERS = st.integers(-(2**63), 2**64 - 1)
st.register_type_strategy(int, MSGPACK_INTEGERS)
st.register_type_strategy(str, st.text(max_size=12))
st.register_type_strategy(  # hypothesis would make lists, which travel too but come back as tuples
    Sequence, lambda kind: st.lists(st.from_type(typing.get_args(kind)[0]), max_size=3).map(tuple)
)
RELAXED = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
REPLY = m.ReloadReply(ok=True, report="fine")


def packed_value(value: object) -> bytes:
    return bytes(msgpack.packb(value, use_bin_type=True))


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: str(kind.__name__))
def test_every_message_of_the_catalogue_travels_unchanged(kind: type) -> None:
    @RELAXED
    @given(st.builds(kind))
    def check(message: object) -> None:
        assert DECODER.decode(encode(message)) == message

    check()


@pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: str(kind.__name__))
def test_every_document_of_the_configuration_travels_unchanged(kind: type) -> None:
    @settings(RELAXED, max_examples=4)
    @given(st.builds(kind))
    def check(document: object) -> None:
        assert decode(kind, encode(document)) == document

    check()


def test_the_frame_is_kind_and_fields() -> None:
    frame = encode(m.ReloadReply(ok=True, report="x"))
    assert msgpack.unpackb(frame) == ["ReloadReply", {"ok": True, "report": "x"}]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    name: str
    weight: int = 1
    kind: ProcessName = ProcessName.IPVS
    on: bool = False
    marks: tuple[int, ...] = ()
    words: dict[str, str] = dataclasses.field(default_factory=dict)


def test_fields_that_have_their_default_do_not_travel() -> None:
    plain = encode(Server(name="a"))
    assert msgpack.unpackb(plain) == ["Server", {"name": "a", "words": {}}]
    assert decode(Server, plain) == Server(name="a")
    other = Server(name="a", weight=0, kind=ProcessName.VRRP, on=True, marks=(1,), words={"b": "c"})
    fields = {"name": "a", "weight": 0, "kind": "vrrp", "on": True, "marks": [1], "words": {"b": "c"}}
    assert msgpack.unpackb(encode(other)) == ["Server", fields]
    assert decode(Server, encode(other)) == other


def test_a_default_that_travels_is_read_and_one_of_another_type_refused() -> None:
    assert decode(Server, packed_value(["Server", {"name": "a", "weight": 1, "on": False}])) == Server(name="a")
    for odd in ({"name": "a", "on": 0}, {"name": "a", "weight": False}, {"weight": 1}, {"name": "a", "wait": 1}):
        with pytest.raises(WireError, match="Server"):
            decode(Server, packed_value(["Server", odd]))


def test_enums_travel_as_their_words_and_come_back_as_enums() -> None:
    row = m.ProcessStatus(
        name=ProcessName.IPVS, state=next(iter(m.ProcessState)), pid=1, uptime_ns=2, restarts=3, silent_ns=4,
        silent=False, late_ns=5,
    )  # fmt: skip
    back = decode(m.ProcessStatus, encode(row))
    assert isinstance(back.name, ProcessName)
    assert msgpack.unpackb(encode(row))[1]["name"] == "ipvs"


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "ReloadReply",
        [],
        {},
        ["ReloadReply"],
        ["ReloadReply", {}, 1],
        ["ReloadReply", []],
        [1, {}],
        [["ReloadReply"], {}],
        [b"ReloadReply", {"ok": True, "report": ""}],
        ["Reloadreply", {"ok": True, "report": ""}],
        ["", {}],
        ["Verdict", {}],
    ],
    ids=repr,
)
def test_what_is_no_kind_with_fields_is_refused(value: object) -> None:
    with pytest.raises(WireError):
        DECODER.decode(packed_value(value))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ok": True},
        {"report": "x"},
        {"ok": True, "report": "x", "more": 1},
        {"ok": True, "Report": "x"},
        {"ok": 1, "report": "x"},
        {"ok": None, "report": "x"},
        {"ok": True, "report": b"x"},
        {"ok": True, "report": ["x"]},
        {"ok": "true", "report": "x"},
    ],
    ids=repr,
)
def test_missing_extra_and_wrongly_typed_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="ReloadReply"):
        DECODER.decode(packed_value(["ReloadReply", fields]))


def test_a_bool_is_no_integer_and_a_float_neither() -> None:
    for value in (True, 1.0, "1"):
        with pytest.raises(WireError, match="expected int"):
            DECODER.decode(packed_value(["StatusRequest", {"version": value}]))


def test_an_unknown_word_of_an_enum_is_refused() -> None:
    row = {
        "name": "vrrp", "state": "sleeping", "pid": 1, "uptime_ns": 1, "restarts": 0, "silent_ns": 0, "silent": False,
        "late_ns": 0, "late_p99_ns": 0, "late_max_ns": 0, "scheduling": "other",
    }  # fmt: skip
    with pytest.raises(WireError, match="not a ProcessState"):
        decode(m.ProcessStatus, packed_value(["ProcessStatus", row]))
    for state in (["running"], {"running": 1}):
        with pytest.raises(WireError, match="not a ProcessState"):
            decode(m.ProcessStatus, packed_value(["ProcessStatus", row | {"state": state}]))


def test_the_items_of_tuples_and_dictionaries_are_checked() -> None:
    fields: dict[str, Any] = {
        "ticket": 1,
        "taken_ns": 2,
        "generation": 3,
        "servers": [],
        "workers": [],
        "counters": {"a": 1},
    }
    assert DECODER.decode(packed_value(["CheckerStatus", fields])).counters == {"a": 1}
    for odd in ({"counters": {"a": "1"}}, {"counters": {1: 1}}, {"counters": []}, {"servers": [1]}, {"servers": {}}):
        with pytest.raises(WireError):
            DECODER.decode(packed_value(["CheckerStatus", fields | odd]))


def test_a_message_of_another_kind_in_a_field_is_refused() -> None:
    inner = ["Beat", {"generation": 1, "sequence": 1}]
    fields = {"generation": 1, "sequence": 2, "verdict": inner}
    with pytest.raises(WireError, match="unknown kind 'Beat'"):
        DECODER.decode(packed_value(["VerdictChanged", fields]))


def test_a_kind_of_another_channel_is_refused() -> None:
    with pytest.raises(WireError, match="unknown kind 'ReloadReply'"):
        Decoder((m.StatusRequest,)).decode(encode(REPLY))


@pytest.mark.parametrize("opener", [b"\x91", b"\x81\xa1a", b"\xdd\x00\x00\x00\x01"])
def test_deep_nesting_is_refused(opener: bytes) -> None:
    with pytest.raises(WireError):
        DECODER.decode(opener * 200_000 + b"\x00")


def test_a_frame_that_claims_a_huge_array_is_refused() -> None:
    for frame in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"):
        with pytest.raises(WireError):
            DECODER.decode(frame)


def test_a_frame_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(WireError, match="over the limit"):
        DECODER.decode(bytes(MAX_BYTES + 1))


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(WireError):
        DECODER.decode(encode(REPLY) + b"\x00")


def test_extension_types_are_refused() -> None:
    for value in (msgpack.ExtType(5, b"x"), msgpack.Timestamp(1, 2)):
        with pytest.raises(WireError):
            DECODER.decode(packed_value(["ReloadReply", {"ok": True, "report": value}]))
        with pytest.raises(WireError):
            DECODER.decode(packed_value(value))


def test_text_that_is_not_utf8_is_refused() -> None:
    frame = encode(REPLY).replace(b"fine", b"\xff\xfe\xfd\xfc")
    with pytest.raises(WireError):
        DECODER.decode(frame)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_raises_wire_error_and_nothing_else(frame: bytes) -> None:
    with pytest.raises(WireError):
        DECODER.decode(frame)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_frame_is_read_as_a_message_or_raises_wire_error(data: st.DataObject) -> None:
    server = m.Verdict(service="s", server="r", up=True, weight=1, since_ns=2**40, reason="check_succeeded")
    frame = bytearray(encode(m.VerdictSnapshot(generation=1, sequence=1, verdicts=(server, server))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(frame)))
    try:
        message = DECODER.decode(bytes(frame[:cut]))
    except WireError:
        return
    assert type(message) in CATALOGUE


def test_what_is_no_dataclass_cannot_be_said() -> None:
    with pytest.raises(TypeError, match="cannot travel"):
        encode(object())


def services(*weights: int) -> tuple[model.VirtualServer, ...]:
    return tuple(model.VirtualServer(id=str(weight), listeners=(), scheduler="rr", quorum=weight) for weight in weights)


def ipvs(generation: int, *weights: int) -> model.IpvsDocument:
    return model.IpvsDocument(
        schema=1, generation=generation, data_plane=model.DataPlane.AUTO, services=services(*weights)
    )


def test_a_document_read_again_shares_what_is_as_it_was() -> None:
    rereader = Rereader(model.IpvsDocument, "services", "generation")
    first = rereader.read(encode(ipvs(1, 5, 6)))
    second = rereader.read(encode(ipvs(2, 6, 7)))
    assert (first, second) == (ipvs(1, 5, 6), ipvs(2, 6, 7))
    assert second.services[0] is first.services[1]


def test_a_document_that_is_refused_is_forgotten() -> None:
    rereader = Rereader(model.IpvsDocument, "services", "generation")
    first = rereader.read(encode(ipvs(1, 5)))
    for wrong in (encode(services(5)[0]), encode(ipvs(1, 5)).replace(b"quorum", b"quoram"), b"", b"\xc0"):
        with pytest.raises(WireError):
            rereader.read(wrong)
    assert rereader.read(encode(ipvs(1, 5))).services[0] is first.services[0]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda frame: frame + b"\xc0", id="something behind it"),
        pytest.param(lambda frame: frame[:-1], id="cut at its end"),
        pytest.param(lambda frame: frame[:60], id="cut within a service"),
        pytest.param(lambda frame: b"\x93" + frame[1:] + b"\xc0", id="three parts"),
        pytest.param(lambda frame: frame.replace(b"IpvsDocument", b"IpvsDocumend"), id="another kind"),
        pytest.param(lambda frame: frame.replace(b"\xa8services\x91", b"\xa8services\xc0", 1), id="services are none"),
        pytest.param(lambda frame: frame.replace(b"\xa8services\x91", b"\xa8servicez\x91", 1), id="another field"),
    ],
)
def test_bytes_that_are_no_whole_document_are_refused(wrong: Callable[[bytes], bytes]) -> None:
    rereader = Rereader(model.IpvsDocument, "services", "generation")
    frame = encode(ipvs(1, 5))
    assert wrong(frame) != frame
    with pytest.raises(WireError):
        rereader.read(wrong(frame))
    assert rereader.read(frame) == ipvs(1, 5)


@pytest.mark.parametrize("generation", [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63])
def test_a_document_with_another_number_is_the_same_but_for_that(generation: int) -> None:
    rereader = Rereader(model.IpvsDocument, "services", "generation")
    first = rereader.read(encode(ipvs(7, 5, 6)))
    again = rereader.read(encode(ipvs(generation, 5, 6)))
    assert again == ipvs(generation, 5, 6)
    assert again.services is first.services
    assert rereader.read(encode(ipvs(generation, 5, 8))) == ipvs(generation, 5, 8)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    names: tuple[str, ...]


def test_there_is_a_breath_before_each_entry_and_none_afterwards() -> None:
    breaths: list[int] = []
    frame = packed_value(["Names", {"names": ["a", "b", "c"]}])
    assert decode(Names, frame, lambda: breaths.append(1)) == Names(names=("a", "b", "c"))
    assert len(breaths) == 3
    decode(Names, frame)
    assert len(breaths) == 3


def test_equal_parts_of_a_document_are_one_object_where_that_is_asked_for() -> None:
    checks = tuple(
        model.TcpCheck(
            target=model.Target(address=f"10.0.0.{number}", port=80), timing=model.Timing(retry=retry), alpha=False
        )
        for number, retry in ((1, 3), (2, 3), (3, 4))
    )
    servers = tuple(
        model.CheckedServer(
            service="a long name", server=check.target.address, address=check.target.address, port=80, weight=1,
            alpha=False, checks=(check,),
        )
        for check in checks
    )  # fmt: skip
    document = model.CheckerDocument(schema=1, generation=1, servers=servers)
    read = decode(model.CheckerDocument, encode(document), alike=model.ALIKE)
    assert read == document
    first, second, third = read.servers
    assert first.checks[0].timing is second.checks[0].timing is not third.checks[0].timing
    assert first.service is second.service is third.service
    apart = decode(model.CheckerDocument, encode(document)).servers
    assert apart[0].checks[0].timing is not apart[1].checks[0].timing


def test_a_decoder_remembers_so_many_of_what_is_alike() -> None:
    decoder = Decoder((Names,), Alike(frozenset(), most=3))
    first, second = (decoder.decode(packed_value(["Names", {"names": ["alpha", "beta"]}])) for _ in range(2))
    assert first.names[0] is second.names[0]
    decoder.decode(packed_value(["Names", {"names": ["gamma", "delta"]}]))
    again = decoder.decode(packed_value(["Names", {"names": ["alpha"]}]))
    assert (again.names[0] == first.names[0], again.names[0] is first.names[0]) == (True, False)


def health(number: int) -> m.ServerHealth:
    verdict = m.Verdict(service="web", server=str(number), up=True, weight=1, since_ns=7, reason="")
    return m.ServerHealth(verdict=verdict, checks=())


def sealed_status(parts: Iterable[bytes]) -> m.CheckerStatus:
    return m.CheckerStatus(ticket=1, taken_ns=2, generation=3, servers=Sealed(parts), counters={})


def test_what_is_sealed_is_read_by_who_opens_and_stays_as_it_is_with_who_hands_on() -> None:
    frame = encode(sealed_status(packed(map(health, range(5)), most=2)))
    servers = tuple(health(number) for number in range(5))
    opened = DECODER.decode(frame)
    assert opened.servers == servers
    handed = Decoder(CATALOGUE, hands_on=True).decode(frame)
    assert isinstance(handed.servers, Sealed)
    assert encode(handed) == frame
    assert (tuple(handed.servers), len(handed.servers), handed.servers[4]) == (servers, 5, health(4))


def test_what_is_sealed_is_as_strict_as_anything_when_it_is_opened() -> None:
    for part in (b"", b"\xc1", packed_list(["no", {}]), packed_list(["Verdict", {}])):
        frame = encode(sealed_status([part]))
        with pytest.raises(WireError):
            DECODER.decode(frame)
        handed = Decoder(CATALOGUE, hands_on=True).decode(frame)
        with pytest.raises(WireError):
            tuple(handed.servers)


def packed_list(*entries: object) -> bytes:
    return packed_value(list(entries))
