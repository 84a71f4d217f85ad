"""Machine learning: named inputs, models, background training, the model store, and the commands that apply them.

The language side binds ``stages`` (rforest, anomalies, kmeans, lof, tfidf, curvefit, stl, forecast as pure functions
over
Arrow); the shell and ``logsql ml`` bind ``commands.MlShell``. scikit-learn is imported inside the functions that
need it.
"""
