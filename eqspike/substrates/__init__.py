"""Physics that runs a network: each substrate compiles a network to a program and runs it."""
