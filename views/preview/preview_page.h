#pragma once

#include <QWidget>

namespace spd {

class PreviewPage : public QWidget {
    Q_OBJECT

public:
    explicit PreviewPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
