#pragma once

#include <QWidget>
#include <vector>

#include "core/protocol/answers/inspection.h"

namespace spd {

/// What a stage needs against what is there.
struct MemoryStage {
    QString name;
    QString tip;
    double bytes = 0;
    bool fits = true;  ///< into what is free now
};

/// Weights, then the stages of a run. Empty when the model was refused.
std::vector<MemoryStage> memoryStages(const protocol::ModelInspection& found);
/// In one sentence: what fits, or what does not and by how much.
QString memoryVerdict(const protocol::ModelInspection& found);

/// A bar a stage on one scale, with marks where the free and the whole memory end. GUI thread.
class MemoryBars : public QWidget {
    Q_OBJECT

public:
    explicit MemoryBars(QWidget* parent = nullptr);

    void setStages(std::vector<MemoryStage> stages, double available, double total);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    double rowHeight() const;
    QRectF barArea() const;
    double xOf(double bytes) const;
    void paintStage(QPainter& painter, size_t stage) const;
    void paintMark(QPainter& painter, double bytes, const QString& text, Qt::PenStyle style, int line) const;

    std::vector<MemoryStage> stages_;
    double available_ = 0;
    double total_ = 0;
};

}  // namespace spd
