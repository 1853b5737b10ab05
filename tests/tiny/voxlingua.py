"""A narrow ECAPA-TDNN with random weights, in the files of `speechbrain/lang-id-voxlingua107-ecapa`."""

from __future__ import annotations

from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.encoder import CategoricalEncoder

import annotators._speechbrain  # noqa: F401 - frees sys.modules of SpeechBrain's lazy aliases

LABELS = """
ab af am ar as az ba be bg bn bo br bs ca ceb cs cy da de el en eo es et eu fa fi fo fr gl gn gu gv ha haw hi
hr ht hu hy ia id is it iw ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa
pl ps pt ro ru sa sco sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi war yi yo zh
""".split()  # noqa: SIM905  # a table reads better
"""As in the published label_encoder.txt, where each is followed by its name: `en: English`."""

HYPERPARAMS = """
pretrained_path: speechbrain/lang-id-voxlingua107-ecapa
n_mels: 60
out_n_neurons: 107
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>
    left_frames: 0
    right_frames: 0
    deltas: false
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    channels: [64, 64, 64, 64, 192]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 16
    lin_neurons: 256
classifier: !new:speechbrain.lobes.models.Xvector.Classifier
    input_shape: [null, null, 256]
    activation: !name:torch.nn.LeakyReLU
    lin_blocks: 1
    lin_neurons: 512
    out_neurons: !ref <out_n_neurons>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: false
modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    classifier: !ref <classifier>
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
        classifier: !ref <classifier>
        label_encoder: !ref <label_encoder>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
        classifier: !ref <pretrained_path>/classifier.ckpt
        label_encoder: !ref <pretrained_path>/label_encoder.txt
"""


def make(folder: Path) -> Path:
    """The checkpoint, in `folder`."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    modules = load_hyperpyyaml(HYPERPARAMS)["modules"]
    for part in ("embedding_model", "classifier"):
        state = modules[part].state_dict()
        for tensor in state.values():
            if tensor.ndim == 1:  # biases and means begin as zeros, gains and variances as ones
                tensor += 0.3 * torch.rand_like(tensor)
        torch.save(state, folder / f"{part}.ckpt")
    encoder = CategoricalEncoder()
    encoder.update_from_iterable([f"{label}: Name of {label}" for label in LABELS])
    encoder.save(str(folder / "label_encoder.txt"))
    (folder / "hyperparams.yaml").write_text(HYPERPARAMS)
    return folder
