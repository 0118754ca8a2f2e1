"""Fits a pipeline and predicts; a grid search in joblib's processes."""
import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LIBRARY = "scikit-learn"
INPUT = [[-3.0, -3.0], [3.0, 3.0]]
OUTPUT = [0, 1]


class Node:
    def initialize(self):
        rng = numpy.random.default_rng(0)
        data = numpy.concatenate([rng.normal(-3, 1, (40, 2)), rng.normal(3, 1, (40, 2))])
        target = [0] * 40 + [1] * 40
        model = make_pipeline(StandardScaler(), LogisticRegression())
        search = GridSearchCV(model, {"logisticregression__C": [0.1, 1.0]}, n_jobs=2, cv=2)
        self.model = search.fit(data, target).best_estimator_

    def process(self, item):
        return int(self.model.predict([item])[0])

    def cleanup(self):
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
