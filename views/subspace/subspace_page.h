#pragma once

#include <QWidget>

namespace spd {

class SubspacePage : public QWidget {
    Q_OBJECT

public:
    explicit SubspacePage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
