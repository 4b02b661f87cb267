"""What can be touched: on the page, in JupyterLab and in Colab."""
