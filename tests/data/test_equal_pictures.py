from alexnet_core.data.equal_pictures import DIGEST_BYTES, digest, equal_rows


def test_equal_rows_are_paired_with_the_first_of_their_kind() -> None:
    digests = [bytes([kind]) * 16 for kind in (7, 3, 7, 5, 3, 7)]
    digests[3] = bytes([7]) * 8 + bytes([3]) * 8  # half of each
    assert list(equal_rows(b"".join(digests))) == [(0, 2), (1, 4), (0, 5)]
    assert list(equal_rows(b"")) == []


def test_a_digest_is_short_and_tells_pictures_apart() -> None:
    assert len(digest(b"a picture")) == DIGEST_BYTES
    assert digest(b"a picture") == digest(b"a picture") != digest(b"another")
