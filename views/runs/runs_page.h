#pragma once

#include <QWidget>

namespace spd {

class RunsPage : public QWidget {
    Q_OBJECT

public:
    explicit RunsPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
