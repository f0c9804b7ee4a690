"""What the network sees: VGG-19 and SqueezeNet 1.1 as named layers."""
