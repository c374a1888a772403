#pragma once

#include <QWidget>
#include <optional>
#include <vector>

#include "views/shared/plot/curve.h"
#include "views/shared/plot/curve_table.h"

class QCPItemStraightLine;
class QCPLayer;
class QCPItemText;
class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QStackedWidget;
class QToolButton;

namespace spd {

/// Curves over one x axis, with what every plot of the window can do: values under the pointer, zoom by wheel
/// (with Shift: x only, with Ctrl: y only), drag, double click for everything, logarithmic y, a table of all
/// points, copies as SVG, PDF, PNG and CSV. A million points cost no more than the pixels they fall on.
///
///     auto* plot = new Plot(tr("Singular values"));
///     plot->setAxes(tr("index"), tr("singular value"));
///     plot->setCurves({{.name = "23 K", .x = index, .y = values, .role = Role::spd, .target = Target::k}});
///     plot->setLogarithmic(true);
///
/// GUI thread.
class Plot : public QWidget {
    Q_OBJECT

public:
    /// @param title  what is plotted: above it, in file names, and for screen readers.
    explicit Plot(const QString& title, QWidget* parent = nullptr);
    ~Plot() override;

    /// Labels with their units: "time, s".
    void setAxes(const QString& x_label, const QString& y_label);
    /// x counts something: its marks stand at whole numbers.
    void setWholeX();
    /// Replaces all curves. The shown range stays when the user has zoomed, else all is shown.
    void setCurves(std::vector<Curve> curves);
    /// Points behind the last ones of a curve, x ascending: what a running job adds.
    void append(size_t curve, const std::vector<double>& x, const std::vector<double>& y);
    const std::vector<Curve>& curves() const { return curves_; }

    void setLogarithmic(bool on);
    bool isLogarithmic() const { return log_y_; }
    /// For values that a logarithm would not make clearer: no switch.
    void hideLogarithmSwitch();
    /// A fixed range of y instead of the data's (shares: 0, 1).
    void setValueRange(double low, double high);
    /// A vertical line with a word beside it: the picked rank, the epoch. Nothing: no line.
    void setMark(std::optional<double> x, const QString& text = {});
    /// The mark can be dragged: markMoved() with each movement, markReleased() at the end. Drawing it again
    /// does not draw the curves again.
    void setMarkMovable(bool movable);
    /// The line under the pointer, set from a linked plot; emits nothing.
    void showPointerAt(std::optional<double> x);
    /// Shows the same range of x: with this and rangeChanged() plots are linked.
    void setRange(double from, double to);
    void showEverything();

    /// A row above the plot, left of the plot's own buttons, for a page's own switches.
    QHBoxLayout* tools() { return tools_; }

    /// The plot as it is shown, in a file whose ending is svg, pdf or png; csv: all points.
    /// @return what went wrong, in a sentence; empty when it is written
    QString saveAs(const QString& path) const;

Q_SIGNALS:
    void pointerMoved(double x);  ///< over the plot
    void pointerLeft();
    void clicked(double x);  ///< pick this x
    void markMoved(double x);
    void markReleased();
    void rangeChanged(double from, double to);  ///< by the user

protected:
    void changeEvent(QEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* makeToolRow(const QString& title);
    QToolButton* makeSaveButton();
    void makeInteractions();
    void onMouseMove(const QPointF& position);
    bool isOnMark(const QPointF& position) const;
    bool pressMark(const QPointF& position);
    bool releaseMark();
    void redrawOverlay();
    void rebuildGraphs();
    void refill();
    void refillSoon();
    void spaceMarks();
    void rescale();
    void applyPalette();
    void askWhereToSave(const QString& ending);
    QString valuesAt(double x) const;

    QString title_;
    std::vector<Curve> curves_;
    bool log_y_ = false;
    bool zoomed_ = false;
    bool refill_waits_ = false;
    std::optional<std::pair<double, double>> value_range_;
    QString mark_text_;
    std::optional<double> mark_;
    QPointF press_;
    bool mark_movable_ = false;
    bool moving_mark_ = false;

    QHBoxLayout* tools_ = nullptr;
    QToolButton* log_button_ = nullptr;
    QStackedWidget* stack_;
    QCustomPlot* plot_;
    CurveTable table_;
    QLabel* values_;
    QCPLayer* overlay_;  // the lines: drawn again without the curves
    QCPItemStraightLine* pointer_line_;
    QCPItemStraightLine* mark_line_;
    QCPItemText* mark_label_;
};

}  // namespace spd
