"""Recipes x seeds over many machines: Ray carries the runs, this folder says which."""
