"""The text of an error in one line."""

from __future__ import annotations

from eager_vs_graph.errors import one_line


def test_a_short_text_is_only_put_into_a_line():
    assert one_line(ValueError("one\n  two.\nThree")) == "one two. Three"


def test_a_long_text_ends_with_its_last_whole_sentence():
    first = "Tensors (e.g. tf.Variable) must be tracked."
    second = "A second sentence."
    text = f"{first} {second} {'Word ' * 100}."
    assert one_line(text, limit=len(first) + len(second) + 5) == f"{first} {second}"
    assert one_line(text, limit=len(first)) == first


def test_a_first_sentence_is_never_cut():
    first = "word " * 100 + "end."
    assert one_line(f"{first} Another one.", limit=50) == first
    assert one_line("word " * 100, limit=50) == ("word " * 100).strip()
