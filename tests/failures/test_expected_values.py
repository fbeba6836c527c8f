"""Which value is the expected one, in the forms of which no real log was at hand, and where the code decides."""

from __future__ import annotations

import pytest

from engine.failures.java_values import expected_and_actual as of_java
from engine.failures.maven import read as read_maven
from engine.failures.python_values import expected_and_actual as of_python


@pytest.mark.parametrize(
    ("message", "values"),
    [
        ("expected:<1> but was:<2>", ("1", "2", "")),
        ("total expected:<1> but was:<2>", ("1", "2", "total")),
        ("total ==> expected: <1> but was: <2>", ("1", "2", "total")),
        ("expected: java.lang.Integer<1> but was: java.lang.Long<1>", ("1", "1", "")),
        ("expected: <a\nb> but was: <c\nd>", ("a\nb", "c\nd", "")),
        ("expected [3] but found [4]", ("3", "4", "")),  # TestNG
        ("Expected: <null> but was: []", ("null", "[]", "")),  # JUnit 3
        ("expected same:<a> was not:<b>", ("a", "b", "")),
        ("Unexpected exception, expected<java.lang.Error> but was<java.lang.Exception>", ("java.lang.Error", "java.lang.Exception", "Unexpected exception")),
        ("\nexpected: 1\n but was: 2", ("1", "2", "")),  # AssertJ since 3.19
        ("[sum] \nexpected: \"a\"\n but was: \"b\"", ('"a"', '"b"', "[sum]")),
        ("\nExpected: is <1>\n     got: <2>\n", ("is <1>", "<2>", "")),  # Hamcrest 1.1
        ("expected 3 items but was 4", (None, None, "expected 3 items but was 4")),
        ("", (None, None, "")),
    ],
)  # fmt: skip
def test_a_message_of_java(message, values):
    assert of_java("AssertionError", message) == values


@pytest.mark.parametrize(
    ("shown", "whole"),
    [
        (("a[b]c", "a[x]c"), ("abc", "axc")),
        (("[b]c", "[]c"), ("bc", "c")),
        (("[[1]]", "[[2]]"), ("[1]", "[2]")),
        (("null", "x"), ("null", "x")),
    ],
)
def test_brackets_of_a_comparison_failure_are_taken_off_and_those_of_a_list_are_not(shown, whole):
    message = f"expected:<{shown[0]}> but was:<{shown[1]}>"
    assert of_java("ComparisonFailure", message)[:2] == whole
    assert of_java("AssertionError", message)[:2] == shown


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("assert total() == 7", "7"),
        ("assert 3 == total()", "3"),
        ("assert got == want", "7"),
        ("assert want == got", "3"),
        ("assert expected_total == value", "3"),
        ("assert number == total()", "3"),
        ("assert result == reference(5)", "7"),
        ("assert result == total", "7"),
        ("assert [1, -2] == total()", "3"),
        ("assert pytest.approx(0.1) == total()", "3"),
        ("assert (", "7"),  # a line of several
        ("", "7"),
    ],
)
def test_a_comparison_of_pytest(code, expected):
    actual = {"3": "7", "7": "3"}[expected]
    assert of_python("assert 3 == 7", code) == (expected, actual, "")


@pytest.mark.parametrize(
    ("message", "code", "values"),
    [
        ("3 != 7", "self.assertEqual(total(), 7)", ("7", "3", "")),
        ("3 != 7", "self.assertEqual(3, total())", ("3", "7", "")),
        ("3 != 7 : too few", "self.assertEqual(total(), 7)", ("7", "3", "too few")),
        ("Lists differ: [3] != [7]\n\n- [3]\n+ [7] : too few", "self.assertEqual(total(), [7])", ("[7]", "[3]", "too few")),
        ("3 != 7", "self.assertTrue(total() == 7)", (None, None, "3 != 7")),
        ("assert 'a' in 'b'", "assert text in 'b'", (None, None, "assert 'a' in 'b'")),
        ("assert 'a == b' == 'c'", "assert text == 'c'", ("'c'", "'a == b'", "")),
        ("assert False is True", "assert found is True", ("True", "False", "")),
        ("wrong\nassert 3 == 7", "assert total() == 7, 'wrong'", ("7", "3", "wrong")),
        ("3 is not 7", "self.assertIs(total(), 7)", ("7", "3", "")),
    ],
)  # fmt: skip
def test_a_message_of_python(message, code, values):
    assert of_python(message, code) == values


@pytest.mark.parametrize(
    ("line", "test"),
    [
        ("[ERROR] shop.CartTest.adds -- Time elapsed: 0.01 s <<< FAILURE!", ("shop.CartTest", "adds")),  # Surefire 3
        ("[ERROR] shop.CartTest.adds  Time elapsed: 0.01 s  <<< ERROR!", ("shop.CartTest", "adds")),
        ("adds(shop.CartTest)  Time elapsed: 0 sec  <<< FAILURE!", ("shop.CartTest", "adds")),  # Surefire 2.12
    ],
)
def test_a_test_in_the_forms_of_surefire(line, test):
    (failed,) = read_maven(
        [line, "java.lang.AssertionError: expected:<1> but was:<2>", "\tat shop.CartTest.adds(CartTest.java:3)"]
    )
    assert ((failed.owner, failed.test), failed.expected) == (test, "1")
