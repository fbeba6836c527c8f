"""How tests are run inside the sandbox, by language: pytest and JUnit."""
