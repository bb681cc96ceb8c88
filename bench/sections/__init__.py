"""What is measured. A section has a NAME, a TITLE, `measure(lab, plan, results)` and `chapter(results)`."""
