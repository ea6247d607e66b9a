"""A compiled Keras model in plain values, for frameworks that build the same."""

from common.files import Problem


def describe_layer(layer) -> dict:
    """One layer in plain values; raises Problem where the bench has no word for it."""
    match type(layer).__name__:
        case "Reshape":
            facts = {"kind": "image"}
        case "Flatten":
            facts = {"kind": "flatten"}
        case "Dense":
            facts = {"kind": "dense", "units": layer.units}
        case "Dropout":
            facts = {"kind": "dropout", "rate": layer.rate}
        case "Conv2D":
            facts = {
                "kind": "conv",
                "maps": layer.filters,
                "kernel": layer.kernel_size[0],
                "padding": layer.padding,
                "bias": layer.use_bias,
            }
        case "MaxPooling2D":
            facts = {"kind": "pool", "size": layer.pool_size[0]}
        case "LSTM":
            facts = {"kind": "lstm", "units": layer.units}
        case kind:
            raise Problem(f"the bench cannot tell the other frameworks what {kind} is")
    if facts["kind"] in ("dense", "conv"):
        facts["activation"] = layer.get_config()["activation"]
    return facts


def describe(model) -> dict:
    """Layers and optimizer of a compiled model, for the other frameworks."""
    adam = model.optimizer.get_config()
    rate = adam["learning_rate"]
    if isinstance(rate, dict):
        rate = rate["config"]["initial_learning_rate"]
    return {
        "layers": [describe_layer(layer) for layer in model.layers],
        "parameters": model.count_params(),
        "learning_rate": rate,
        "epsilon": adam["epsilon"],
        "clip": adam["clipnorm"],
    }
