"""Token accuracy on a case made by hand: a "model" whose next token is written down."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch

from engine.trainers.exact_loss import LeanSFTTrainer

VOCABULARY = 10


class Said(torch.nn.Module):
    """At each place it thinks that the token written there in `said` comes next."""

    def __init__(self, said):
        super().__init__()
        self.said = torch.tensor(said)
        self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace())

    def base_model(self, **inputs):
        hidden = torch.nn.functional.one_hot(self.said, VOCABULARY).float() * 20
        return SimpleNamespace(last_hidden_state=hidden)

    def get_output_embeddings(self):
        return torch.nn.Identity()


@pytest.fixture
def trainer(monkeypatch):
    made = LeanSFTTrainer.__new__(LeanSFTTrainer)
    made._counts = defaultdict(int)
    made.aux_loss_enabled = False
    made.accelerator = SimpleNamespace(reduce=lambda counts: counts, num_processes=1)
    logged = []
    monkeypatch.setattr("trl.SFTTrainer.log", lambda self, logs, start_time=None: logged.append(logs))

    def accuracy(*batches, training=True, loss="loss"):
        for said, ids, labels in batches:
            made.model = Said(said)
            made.model.train(training)
            made.compute_loss(made.model, {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)})
        made.log({loss: 1.0})
        return logged[-1]

    return accuracy


#        prompt  target        padding
IDS = [[5, 6, 7, 1, 2, 3, 0, 9, 9]]
LABELS = [[-100, -100, -100, 1, 2, 3, 0, -100, -100]]


def test_a_label_is_compared_with_what_was_said_one_place_before(trainer):
    says_next = [[0, 0, 1, 2, 3, 0, 0, 0, 0]]
    says_itself = [[5, 6, 7, 1, 2, 3, 0, 9, 9]]  # right at every place, if nothing is shifted
    assert trainer((says_next, IDS, LABELS))["mean_token_accuracy"] == 1
    assert trainer((says_itself, IDS, LABELS))["mean_token_accuracy"] == 0


def test_prompt_and_padding_do_not_count_and_the_end_of_the_text_does(trainer):
    only_prompt_and_padding = [[6, 7, 0, 0, 0, 9, 9, 9, 0]]
    assert trainer((only_prompt_and_padding, IDS, LABELS))["mean_token_accuracy"] == 0
    only_the_end = [[0, 0, 9, 9, 9, 0, 9, 9, 9]]
    assert trainer((only_the_end, IDS, LABELS))["mean_token_accuracy"] == 1 / 4


def test_every_token_counts_alike_whatever_batch_it_is_in(trainer):
    wrong = ([[9, 9, 9, 9, 9, 9, 9, 9, 9]], IDS, LABELS)  # 0 of 4
    right = ([[9, 1, 9]], [[5, 6, 1]], [[-100, -100, 1]])  # 1 of 1
    assert trainer(wrong, right)["mean_token_accuracy"] == 1 / 5
    assert trainer(right)["mean_token_accuracy"] == 1, "what was logged before does not count again"


def test_evaluation_and_training_are_counted_apart(trainer):
    right = ([[9, 1, 9]], [[5, 6, 1]], [[-100, -100, 1]])
    logged = trainer(right, training=False, loss="eval_loss")
    assert logged == {"eval_loss": pytest.approx(0, abs=1e-6), "eval_mean_token_accuracy": 1.0}
    assert trainer(right) == {"loss": 1.0, "mean_token_accuracy": 1.0}, "the training's own loss stays"


def test_the_loss_of_an_evaluation_is_a_mean_over_tokens_whatever_batch_they_are_in(trainer):
    wrong = ([[9, 9, 9, 9, 9, 9, 9, 9, 9]], IDS, LABELS)  # 4 tokens with a loss of 20 each
    right = ([[9, 1, 9]], [[5, 6, 1]], [[-100, -100, 1]])  # 1 with none
    blank = ([[9, 9, 9]], [[0, 0, 0]], [[-100, -100, -100]])
    assert trainer(wrong, right, blank, training=False, loss="eval_loss")["eval_loss"] == pytest.approx(16)
