"""The slow way: a picture is changed step by step until its losses are small."""
