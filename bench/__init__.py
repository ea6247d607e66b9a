"""The bench: how fast this project trains, beside what people would use instead."""
