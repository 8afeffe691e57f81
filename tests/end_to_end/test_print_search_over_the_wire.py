"""A print goes over gRPC through the whole real stack, and shoe models come back."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from outsole.answers import ItemFilter, Placement, SearchMode, Side
from outsole.api import Client
from outsole.api.records import PlacementSearch, SearchOptions
from outsole.errors import PreconditionFailed
from outsole.evaluation.searches import STAGES
from tests.end_to_end.stack import FOREIGN_GALLERY, FUSED_GALLERY, GALLERY, MODELS, STAND_IN, Stack

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("mode", list(SearchMode))
def test_the_true_model_comes_first_in_either_mode(client: Client, stack: Stack, mode: SearchMode) -> None:
    reference = (stack.made.directory / "references/00007.png").read_bytes()
    answer = client.search_print(reference, gallery=GALLERY, k=5, mode=mode)
    assert answer.hits[0].item_id == "00007"
    assert [hit.rank for hit in answer.hits] == [1, 2, 3, 4, 5]
    assert len({hit.model_id for hit in answer.hits}) == 5
    assert (answer.searched, answer.total, answer.degraded) == (MODELS, MODELS, ())
    assert (answer.edition, answer.mode) == (stack.edition, mode)
    assert set(answer.stage_ms) == set(STAGES) - ({"candidates"} if mode is SearchMode.EXHAUSTIVE else set())


def test_a_crime_scene_print_finds_its_shoe_among_the_best(client: Client, stack: Stack) -> None:
    ranks = []
    for number in (1, 2, 3, 4):
        answer = client.search_print(stack.probe(number), gallery=GALLERY, k=MODELS, mode=SearchMode.EXHAUSTIVE)
        ranks.append([hit.item_id for hit in answer.hits].index(stack.truth(number)) + 1)
    assert sorted(ranks)[1] <= 3


def test_the_same_probe_gives_the_same_answer(client: Client, stack: Stack) -> None:
    first, second = (client.search_print(stack.probe(), gallery=GALLERY) for _ in range(2))
    assert first.hits == second.hits
    assert first.settings == second.settings


def test_a_shortlist_is_as_long_as_was_asked_for(client: Client, stack: Stack) -> None:
    answer = client.search_print(stack.probe(), gallery=GALLERY, k=20, shortlist_size=6)
    assert (answer.searched, answer.total, len(answer.hits)) == (6, MODELS, 6)


@pytest.mark.parametrize("mode", list(SearchMode))
def test_a_filter_lets_only_its_items_through(client: Client, stack: Stack, mode: SearchMode) -> None:
    left = [item for page in client.list_items(GALLERY, where=ItemFilter(sides=(Side.LEFT,))) for item in page]
    answer = client.search_print(
        stack.probe(), gallery=GALLERY, k=MODELS, mode=mode, where=ItemFilter(sides=(Side.LEFT,))
    )
    assert answer.total == answer.searched == len(left) < MODELS
    assert {hit.side for hit in answer.hits} == {Side.LEFT}


def test_a_filter_that_nothing_passes_gives_an_empty_whole_answer(client: Client, stack: Stack) -> None:
    where = ItemFilter(sides=(Side.UNKNOWN,))
    answer = client.search_print(stack.probe(), gallery=GALLERY, where=where)
    assert (answer.hits, answer.searched, answer.total, answer.degraded) == ((), 0, 0, ())


def test_a_heat_map_sums_to_the_correlation(client: Client, stack: Stack) -> None:
    pinned = PlacementSearch(pinned=Placement(rotation_deg=4.0))
    hit = client.search_print(stack.probe(), gallery=GALLERY, placements=pinned).hits[0]
    explanation = client.explain_hit(stack.probe(), gallery=GALLERY, item_id=hit.item_id, placements=pinned)
    assert sum(explanation.heat) == pytest.approx(hit.score_parts["correlation"], abs=1e-3)
    assert explanation.hit.score == pytest.approx(sum(explanation.heat), abs=1e-4)
    assert explanation.hit.placement.shift_x_px == hit.placement.shift_x_px
    assert len(explanation.heat) == explanation.rows * explanation.columns
    assert explanation.probe_png.startswith(PNG)
    assert explanation.item_png.startswith(PNG)


def test_evidence_is_uploaded_once_and_searched_by_its_digest(client: Client, stack: Stack) -> None:
    path = stack.made.directory / "tracks_cropped/00002.jpg"
    evidence = client.upload_evidence(path)
    assert client.upload_evidence(path) == evidence
    by_digest = client.search_print(evidence, gallery=GALLERY)
    assert by_digest.probe_sha256 == evidence.sha256
    assert by_digest.hits == client.search_print(path.read_bytes(), gallery=GALLERY).hits
    explained = client.explain_hit(evidence, gallery=GALLERY, item_id=by_digest.hits[0].item_id)
    assert explained.hit.item_id == by_digest.hits[0].item_id


def test_a_gallery_indexed_with_two_encoders_is_searched_with_both_or_with_each(client: Client, stack: Stack) -> None:
    encoders = client.get_gallery(FUSED_GALLERY).encoders
    correlation = client.get_gallery(GALLERY).encoders
    assert set(encoders) == {*correlation, STAND_IN}
    for mode in SearchMode:
        options = SearchOptions(k=MODELS, mode=mode)
        fused = client.search_print(stack.probe(), gallery=FUSED_GALLERY, **options)
        together = {hit.item_id: hit.score_parts for hit in fused.hits}
        for encoder, parts in ((next(iter(correlation)), ("correlation", "cooccurrence")), (STAND_IN, ("embedding",))):
            options["encoder"] = encoder
            alone = client.search_print(stack.probe(), gallery=FUSED_GALLERY, **options)
            assert alone.searched == MODELS
            assert alone.encoder_hash == encoders[encoder]
            for hit in alone.hits:
                wanted = {name: together[hit.item_id][name] for name in parts}
                assert hit.score_parts == pytest.approx(wanted, abs=1e-5)
    with pytest.raises(PreconditionFailed, match=f"not '{STAND_IN}'"):
        client.search_print(stack.probe(), gallery=GALLERY, encoder=STAND_IN)


def test_galleries_and_items_can_be_read(client: Client, stack: Stack) -> None:
    galleries = [gallery.name for gallery in client.list_galleries()]
    assert galleries == sorted(galleries)
    assert {FOREIGN_GALLERY, FUSED_GALLERY, GALLERY} <= set(galleries)
    assert client.get_gallery(GALLERY).edition == stack.edition
    items = [item for page in client.list_items(GALLERY, page_size=10) for item in page]
    assert [item.item_id for item in items] == [f"{number:05d}" for number in range(1, MODELS + 1)]
    item = client.get_item(GALLERY, "00003")
    assert item.thumbnail_png.startswith(PNG)
    assert (item.model_id, item.brand) == (items[2].model_id, items[2].brand)


def test_health_is_told_for_each_service(stack: Stack) -> None:
    serving = health_pb2.HealthCheckResponse.SERVING
    with grpc.insecure_channel(stack.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        wanted = {
            "": serving,
            "outsole.v1.RetrievalService": serving,
            "outsole.v1.GalleryService": serving,
            "outsole.v1.IndexService": serving,
            "outsole.v1.VideoService": serving,
            "outsole.v1.WearService": serving,
        }
        for service, status in wanted.items():
            assert stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status == status
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="outsole.v1.Nothing"), timeout=10)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch = stub.Watch(health_pb2.HealthCheckRequest(service="outsole.v1.Nothing"), timeout=10)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        watch.cancel()


def test_the_stack_was_healthy_within_the_promised_time(stack: Stack) -> None:
    assert stack.started_s < 40


def test_the_grpc_port_listens_on_the_loopback_interface_alone(stack: Stack) -> None:
    wanted = f":{stack.settings.grpc_port:04X}"
    listening = "0A"
    found = [
        fields[1].removesuffix(wanted)
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path("/proc/net", table).read_text().splitlines()[1:])
        if fields[1].endswith(wanted) and fields[3] == listening
    ]
    # 127.0.0.1 as the kernel writes it, plain and as an IPv6 address.
    assert found
    assert set(found) <= {"0100007F", "0000000000000000FFFF00000100007F"}
