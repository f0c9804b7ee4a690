"""Sets of VGG-19's layers that recipes and labs name."""

RELU_1_TO_5 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


CONV_1_TO_5 = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
RELUS = tuple(f"relu{block}_{i}" for block, n in enumerate((2, 2, 4, 4, 4), 1) for i in range(1, n + 1))
