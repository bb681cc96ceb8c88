"""The same job in what people use today, each as its own documentation writes it. Run in `.venv-bench`, never in ours."""
