#pragma once

#include <QWidget>
#include <array>

#include "views/frame/stage.h"

namespace spd {

/// The stages from top to bottom, each with its icon, title and mark. Any page opens any time: by click,
/// arrow keys, or Alt+1 .. 8 (actions of the menu).
class StageRail : public QWidget {
    Q_OBJECT

public:
    explicit StageRail(QWidget* parent = nullptr);

    void setCurrent(Stage stage);
    Stage current() const { return current_; }
    void setMarks(const StageMarks& marks);

    QSize sizeHint() const override;

Q_SIGNALS:
    void picked(spd::Stage stage);

private:
    void step(int by);
    bool eventFilter(QObject* watched, QEvent* event) override;

    std::array<class StageButton*, kStageCount> buttons_{};
    Stage current_ = Stage::model;
};

}  // namespace spd
