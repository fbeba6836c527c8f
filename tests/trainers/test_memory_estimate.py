from __future__ import annotations

import subprocess
import sys

import pytest

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.models.shape import Shape, read_config
from engine.plugins import TRAINERS
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft

GIB = 1 << 30
CODELLAMA_7B = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "intermediate_size": 11008,
    "vocab_size": 32016,
    "tie_word_embeddings": False,
    "model_type": "llama",
}
QWEN_7B = {
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
    "model_type": "qwen2",
}
STABLE_CODE_3B = {
    "hidden_size": 2560,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "intermediate_size": 6912,
    "vocab_size": 50304,
    "tie_word_embeddings": False,
    "model_type": "stablelm",
}


@pytest.mark.parametrize(
    ("config", "published"),
    [(CODELLAMA_7B, 6_738_546_688), (QWEN_7B, 7_615_616_512), (read_config(STARTER_MODEL), 12_784_960)],
)
def test_parameter_count_is_the_published_one(config, published):
    assert Shape.of(config).parameters == published


def test_lora_count_is_that_of_the_shipped_adapter():
    shape = Shape.of(read_config(STARTER_MODEL))
    assert shape.lora_parameters(32, "all-linear") == 1_589_248  # 1.59 M in its README
    assert shape.lora_parameters(16, "all-linear") == 794_624
    assert Shape.of(CODELLAMA_7B).lora_parameters(8, ["q_proj", "v_proj"]) == 4_194_304  # RepairLLaMA: 4.2 M


@pytest.mark.parametrize(
    ("settings", "measured_gib"),
    [
        (dict(rank=8, target_modules="q_proj,v_proj", batch_size=16, activation_checkpointing=True), 22.8),
        (dict(rank=16, batch_size=16, activation_checkpointing=True), 23.2),
        (dict(rank=8, target_modules="q_proj,v_proj", batch_size=8), 55.8),
        (dict(rank=16, batch_size=8), 83.0),
    ],
)
def test_estimate_is_close_to_the_measured_peaks_of_codellama_7b(settings, measured_gib):
    total = estimate(CODELLAMA_7B, Sft.Params(**settings), 1024).total / GIB
    assert total == pytest.approx(measured_gib, rel=0.13), f"{total:.1f} GiB"


def test_compiled_layers_keep_fewer_copies():
    class Compiled(Sft.Params):
        compile_layers: bool = True

    for config, settings, measured_gib in (
        (CODELLAMA_7B, dict(batch_size=8), 61.6),
        (CODELLAMA_7B, dict(rank=8, target_modules="q_proj,v_proj", batch_size=16), 84.3),
        (QWEN_7B, dict(batch_size=8), 76.9),
    ):
        total = estimate(config, Compiled(**settings), 1024).total / GIB
        assert total == pytest.approx(measured_gib, rel=0.14), f"{total:.1f} GiB"


def test_what_layers_keep_depends_on_which_of_them_have_matrices():
    every, some = (
        estimate(QWEN_7B, Sft.Params(target_modules=names), 1024, "cpu").activations
        for names in ("all-linear", "k_proj")
    )
    assert some < every
    sixth = estimate(QWEN_7B, Sft.Params(target_modules="5.self_attn.k_proj"), 1024, "cpu").activations
    assert sixth == some


def test_an_evaluation_with_larger_batches_counts_where_it_needs_more_than_a_step():
    settings = dict(batch_size=1, method="qlora", activation_checkpointing=True)
    step, larger, much_larger = (
        estimate(CODELLAMA_7B, Sft.Params(**settings, eval_batch_size=size), 1024) for size in (None, 2, 64)
    )
    assert (step.total, step.notes) == (larger.total, larger.notes)
    assert much_larger.activations > step.activations
    assert "64 samples at a time" in much_larger.notes[-1]
    never = Sft.Params(**settings, eval_batch_size=64, evaluation="no")
    assert estimate(CODELLAMA_7B, never, 1024).total == step.total


def test_below_a_cap_frozen_layers_go_to_main_memory_and_what_is_trained_stays():
    settings = dict(method="qlora", batch_size=1, activation_checkpointing=True)
    whole = estimate(CODELLAMA_7B, Sft.Params(**settings), 512)
    capped = estimate(CODELLAMA_7B, Sft.Params(**settings, memory_cap_mb=4000, offload=True), 512)
    assert whole.total > 4e9
    assert capped.total == 4e9
    assert "of the weights in main memory" in capped.notes[-1]
    too_low = estimate(CODELLAMA_7B, Sft.Params(**settings, memory_cap_mb=1000, offload=True), 512)
    assert 1e9 < too_low.total < capped.total
    only_capped = estimate(CODELLAMA_7B, Sft.Params(**settings, memory_cap_mb=4000), 512)
    assert only_capped.total == whole.total, "a cap alone moves nothing"


@pytest.mark.parametrize(
    ("settings", "measured_gib"),
    [
        (dict(batch_size=16), 2.39),  # the preset of the demo
        (dict(batch_size=8), 1.52),
        (dict(batch_size=8, dora=True), 2.02),
        (dict(batch_size=8, dora=True, method="qlora"), 2.11),
        (dict(batch_size=8, base_bits=8), 1.53),
        (dict(batch_size=8, neftune_alpha=5.0, rslora=True, optimizer="adamw_8bit"), 1.52),
        (dict(batch_size=8, method="last_layers"), 0.85),
        (dict(batch_size=8, method="last_layers", last_layers=0, train_head=True), 1.14),
        (dict(batch_size=8, method="full", optimizer="sgd", momentum=0.9), 1.30),
        (dict(batch_size=4), 1.02),
        (dict(batch_size=1), 0.72),
        (dict(batch_size=16, activation_checkpointing=True), 1.56),
        (dict(batch_size=16, method="full"), 1.92),
    ],
)
def test_estimate_meets_the_measured_peaks_of_the_starter_model_on_a_cpu(settings, measured_gib):
    total = estimate(read_config(STARTER_MODEL), Sft.Params(rank=16, **settings), 256, "cpu").total / GIB
    assert total == pytest.approx(measured_gib, rel=0.09), f"{total:.2f} GiB"


def test_qlora_of_7b_fits_a_ten_gigabyte_card():
    params = Sft.Params(method="qlora", batch_size=1, activation_checkpointing=True)
    found = estimate(CODELLAMA_7B, params, 1024)
    assert found.total < 10 * GIB
    assert 3.4e9 < found.weights < 4.2e9


def test_full_fine_tuning_takes_18_bytes_a_parameter_in_mixed_precision():
    found = estimate(CODELLAMA_7B, Sft.Params(method="full"), 1024)
    assert found.weights + found.optimizer + found.gradients == 18 * found.parameters
    assert found.trainable == found.parameters


def test_eight_bit_adam_takes_two_bytes_a_parameter():
    found = estimate(CODELLAMA_7B, Sft.Params(method="full", optimizer="adamw_8bit"), 1024)
    assert found.optimizer == 2 * found.parameters


def test_lora_takes_16_bytes_a_trained_parameter_beside_the_weights():
    found = estimate(STABLE_CODE_3B, Sft.Params(), 1024)
    beside = found.weights - 2 * found.parameters + found.optimizer + found.gradients
    assert beside == 16 * found.trainable


def test_a_cpu_computes_in_four_bytes_and_the_note_says_so():
    cpu, gpu = (estimate(CODELLAMA_7B, Sft.Params(), 1024, device) for device in ("cpu", "cuda"))
    assert cpu.weights - 4 * cpu.trainable == 2 * (gpu.weights - 4 * gpu.trainable)
    full = [estimate(CODELLAMA_7B, Sft.Params(method="full"), 1024, device) for device in ("cpu", "cuda")]
    assert full[0].activations == 2 * full[1].activations
    assert "fp32" in cpu.notes[0]


def test_an_unknown_layer_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="no linear layer called 'qproj'.*q_proj"):
        estimate(CODELLAMA_7B, Sft.Params(target_modules="qproj"), 1024)


def test_a_config_without_sizes_is_refused():
    with pytest.raises(UserError, match="hidden_size"):
        Shape.of({"model_type": "bert"})


def test_importing_the_estimate_does_not_load_torch():
    code = "import sys, engine.trainers.memory_estimate, engine.specs; engine.specs.parse({'kind': 'train'}); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_is_compared_and_written_needs_more_memory():
    config = read_config(STARTER_MODEL)
    small = {"rank": 8, "batch_size": 4}
    sft, dpo, grpo = (
        TRAINERS.from_value({"name": name, **small, **({"accumulation": 4} if name == "grpo" else {})})
        for name in ("sft", "dpo", "grpo")
    )
    of_samples, of_pairs = sft.estimate(config, 200, "cuda"), dpo.estimate(config, 200, "cuda")
    assert of_pairs.activations == 2 * of_samples.activations, "both answers are read"
    assert of_pairs.weights == of_samples.weights, "the reference is the base with its matrices off"
    written = grpo.estimate(config, 136, "cuda")  # and 64 tokens that are written: 200, as above
    assert written.activations == of_samples.activations
    assert written.buffers > of_samples.buffers
    full, compared = (
        TRAINERS.from_value({"name": name, "method": "full"}).estimate(config, tokens, "cuda")
        for name, tokens in (("sft", 200), ("dpo", 100))
    )
    assert compared.weights == full.weights + 4 * full.parameters, "a second model"
    uncompared, kept = (
        TRAINERS.from_value({"name": "grpo", "method": "full", "beta": beta}).estimate(config, 100, "cuda")
        for beta in (0, 0.1)
    )
    assert kept.weights > uncompared.weights


def test_momentum_takes_four_bytes_a_trained_parameter_and_plain_sgd_none():
    plain, heavy = (
        estimate(CODELLAMA_7B, Sft.Params(method="full", optimizer="sgd", momentum=momentum), 1024)
        for momentum in (0.0, 0.9)
    )
    assert (plain.optimizer, heavy.optimizer) == (0, 4 * heavy.trainable)
    assert heavy.total - plain.total == heavy.optimizer


def test_of_the_last_layers_only_these_have_gradients_optimizer_state_and_activations():
    full, two, one = (
        estimate(CODELLAMA_7B, Sft.Params(**settings), 1024)
        for settings in (dict(method="full"), dict(method="last_layers"), dict(method="last_layers", last_layers=1))
    )
    assert two.trainable == 2 * one.trainable == 2 * 202_383_360  # of one layer of CodeLlama-7B
    assert two.optimizer == 8 * two.trainable
    assert two.activations == 2 * one.activations == full.activations // 16
    assert two.weights == 2 * two.parameters + 4 * two.trainable  # in bf16, and 6 bytes of what is trained
    head = estimate(CODELLAMA_7B, Sft.Params(method="last_layers", last_layers=0, train_head=True), 1024)
    assert (head.trainable, head.activations) == (32016 * 4096, 0)


def test_an_adapter_with_the_head_counts_it_and_one_matrix_for_both_embeddings_is_refused():
    plain, head = (estimate(CODELLAMA_7B, Sft.Params(train_head=each), 1024) for each in (False, True))
    assert head.trainable - plain.trainable == 32016 * 4096
    with pytest.raises(UserError, match="train_head: this model's output head is one with its input embeddings"):
        estimate(read_config(STARTER_MODEL), Sft.Params(train_head=True), 1024)


def test_layers_are_counted_by_the_end_of_their_names():
    shape = Shape.of(CODELLAMA_7B)
    assert shape.lora_parameters(1, ["mlp.down_proj"]) == 32 * (4096 + 11008)
    assert shape.lora_parameters(1, ["7.mlp.down_proj", "0.self_attn.q_proj"]) == 4096 + 11008 + 2 * 4096
    assert shape.lora_parameters(1, ["q_proj"], dora=True) == 32 * (2 * 4096 + 4096)


def test_more_layers_than_there_are_cannot_be_trained():
    with pytest.raises(UserError, match="last_layers: the model has 32 layers, not 33"):
        estimate(CODELLAMA_7B, Sft.Params(method="last_layers", last_layers=33), 1024)
