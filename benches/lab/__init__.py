"""What the programs in this folder share: servers on cores, load, tables."""
