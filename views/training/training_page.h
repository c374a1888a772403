#pragma once

#include <QWidget>

namespace spd {

class TrainingPage : public QWidget {
    Q_OBJECT

public:
    explicit TrainingPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
