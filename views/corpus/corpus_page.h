#pragma once

#include <QWidget>

namespace spd {

class CorpusPage : public QWidget {
    Q_OBJECT

public:
    explicit CorpusPage(QWidget* parent = nullptr);

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
};

}  // namespace spd
