#pragma once

#include <QWidget>

namespace spd {

class CalibrationPage : public QWidget {
    Q_OBJECT

public:
    explicit CalibrationPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
