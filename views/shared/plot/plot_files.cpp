// Plot: its row of buttons, its colours, what it writes into files.
#include <qcustomplot.h>

#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QSaveFile>
#include <QStackedWidget>
#include <QSvgGenerator>
#include <QToolButton>

#include "views/shared/icons.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

QToolButton* toolButton(const QString& icon_name, const QString& tip) {
    auto* button = new QToolButton;
    button->setIcon(icon(icon_name));
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setAutoRaise(true);
    return button;
}

QString couldNotWrite(const QString& path, const QString& why) {
    return Plot::tr("The plot was not saved: %1: %2").arg(path, why);
}

}  // namespace

QToolButton* Plot::makeSaveButton() {
    auto* save = toolButton(QStringLiteral("save"), tr("Save the plot as a picture, or its values as CSV"));
    auto* menu = new QMenu(save);
    for (const char* ending : {"svg", "pdf", "png", "csv"}) {
        const QString name = QString::fromLatin1(ending);
        menu->addAction(tr("Save as %1...").arg(name.toUpper()), this,
                        [this, name] { askWhereToSave(name); });
    }
    save->setMenu(menu);
    save->setPopupMode(QToolButton::InstantPopup);
    return save;
}

QWidget* Plot::makeToolRow(const QString& title) {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    auto* label = new QLabel(title);
    QFont font = label->font();
    font.setWeight(QFont::DemiBold);
    label->setFont(font);
    layout->addWidget(label);
    layout->addStretch();
    tools_ = new QHBoxLayout;
    layout->addLayout(tools_);

    log_button_ = new QToolButton;
    log_button_->setText(tr("log"));
    log_button_->setToolTip(
        tr("Logarithmic scale of the values. Values that are not positive are left out."));
    log_button_->setCheckable(true);
    log_button_->setAutoRaise(true);
    connect(log_button_, &QToolButton::clicked, this, &Plot::setLogarithmic);
    auto* table = toolButton(QStringLiteral("table"), tr("Show the values as a table"));
    table->setCheckable(true);
    connect(table, &QToolButton::toggled, this, [this](bool on) {
        table_.setCurves(&curves_, plot_->xAxis->label(), plot_->yAxis->label());
        stack_->setCurrentIndex(on ? 1 : 0);
    });
    auto* reset = toolButton(QStringLiteral("reset"), tr("Show everything (double click)"));
    connect(reset, &QToolButton::clicked, this, &Plot::showEverything);
    QToolButton* save = makeSaveButton();
    for (QToolButton* button : {log_button_, table, reset, save})
        layout->addWidget(button);
    return row;
}

void Plot::askWhereToSave(const QString& ending) {
    const QString name = QString(title_).replace(u'/', u'-') + u'.' + ending;
    const QString path = QFileDialog::getSaveFileName(this, tr("Save %1").arg(title_), name,
                                                      QStringLiteral("*.%1").arg(ending));
    if (path.isEmpty())
        return;
    const QString problem = saveAs(path);
    if (!problem.isEmpty())
        QMessageBox::warning(this, tr("Not saved"), problem);
}

QString Plot::saveAs(const QString& path) const {
    const QString ending = QFileInfo(path).suffix().toLower();
    if (ending == QStringLiteral("csv")) {
        CurveTable table;
        table.setCurves(&curves_, plot_->xAxis->label(), plot_->yAxis->label());
        QSaveFile file(path);
        const QByteArray text = table.csv();
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit())
            return couldNotWrite(path, file.errorString());
        return {};
    }
    const int width = std::max(plot_->width(), 160), height = std::max(plot_->height(), 120);
    bool written = false;
    if (ending == QStringLiteral("svg")) {
        QSvgGenerator generator;
        generator.setFileName(path);
        generator.setTitle(title_);
        generator.setSize({width, height});
        generator.setViewBox(QRect(0, 0, width, height));
        QCPPainter painter;
        written = painter.begin(&generator);
        if (written) {
            painter.setMode(QCPPainter::pmVectorized);
            plot_->toPainter(&painter, width, height);
            written = painter.end();
        }
    } else if (ending == QStringLiteral("pdf")) {
        written = plot_->savePdf(path, width, height, QCP::epAllowCosmetic, QString(), title_);
    } else if (ending == QStringLiteral("png")) {
        written = plot_->savePng(path, width, height, 2);
    } else {
        return couldNotWrite(path, tr("the name must end in .svg, .pdf, .png or .csv"));
    }
    return written
               ? QString()
               : couldNotWrite(path, tr("the file could not be written (is the folder there and writable?)"));
}

void Plot::applyPalette() {
    const QPalette colors = palette();
    const QColor text = colors.color(QPalette::Text);
    const QColor rule = ruleColor(colors);
    plot_->setBackground(colors.color(QPalette::Base));
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.9);
    for (QCPAxis* axis : {plot_->xAxis, plot_->xAxis2, plot_->yAxis, plot_->yAxis2}) {
        axis->setBasePen(QPen(rule, 1));
        axis->setTickPen(QPen(rule, 1));
        axis->setSubTickPen(QPen(rule, 1));
        axis->setTickLabelColor(text);
        axis->setLabelColor(text);
        axis->setTickLabelFont(small);
        axis->setLabelFont(small);
        axis->grid()->setPen(QPen(rule, 1, Qt::DotLine));
        axis->grid()->setZeroLinePen(QPen(rule, 1));
    }
    QColor behind_legend = colors.color(QPalette::Base);
    behind_legend.setAlphaF(0.75F);  // curves neither end at its words nor run through them
    plot_->legend->setBrush(behind_legend);
    plot_->legend->setBorderPen(Qt::NoPen);
    plot_->legend->setTextColor(text);
    plot_->legend->setFont(small);
    pointer_line_->setPen(QPen(quietTextColor(colors), 1));
    mark_line_->setPen(QPen(accentColor(colors), 1.4, Qt::DashLine));
    mark_label_->setColor(accentColor(colors));
    mark_label_->setFont(small);
    for (size_t i = 0; i < curves_.size(); ++i)
        plot_->graph(static_cast<int>(i))->setPen(curvePen(curves_[i], colors));
    plot_->replot(QCustomPlot::rpQueuedReplot);
}

void Plot::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange)
        applyPalette();
    QWidget::changeEvent(event);
}

void Plot::leaveEvent(QEvent* event) {
    showPointerAt({});
    Q_EMIT pointerLeft();
    QWidget::leaveEvent(event);
}

bool Plot::eventFilter(QObject* watched, QEvent* event) {
    if (watched == plot_ && event->type() == QEvent::Resize)
        refillSoon();
    return QWidget::eventFilter(watched, event);
}

}  // namespace spd
