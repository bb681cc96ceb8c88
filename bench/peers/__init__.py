"""The same job in what people use today, each as its documentation writes it; run in `.venv-bench`, never in ours."""
