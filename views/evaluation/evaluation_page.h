#pragma once

#include <QWidget>

namespace spd {

class EvaluationPage : public QWidget {
    Q_OBJECT

public:
    explicit EvaluationPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
