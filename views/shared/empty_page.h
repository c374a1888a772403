#pragma once

#include <QString>
#include <QWidget>

class QLabel;
class QPushButton;

namespace spd {

/// What a page shows while there is nothing to show: what it is for, what to do first, and the button that
/// does it. Keep it beside the page's content in a QStackedLayout.
class EmptyPage : public QWidget {
    Q_OBJECT

public:
    struct Words {
        QString title;
        QString purpose;     ///< one or two sentences
        QString first_step;  ///< one sentence
        QString button;      ///< a verb; empty: no button
    };
    explicit EmptyPage(const Words& words, QWidget* parent = nullptr);

    void setFirstStep(const QString& text, const QString& button);

Q_SIGNALS:
    void clicked();

private:
    QLabel* first_step_;
    QPushButton* button_;
};

}  // namespace spd
