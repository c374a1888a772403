#include "views/dialogs/shortcuts_sheet.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "views/shared/theme.h"

namespace spd {

namespace {

QString row(const QString& keys, const QString& what) {
    return QStringLiteral("<tr><td width=\"140\"><b>%1</b></td><td>%2</td></tr>")
        .arg(keys.toHtmlEscaped(), what.toHtmlEscaped());
}

/// Keys that are no commands: what widgets do by themselves.
QString otherKeys() {
    return QStringLiteral("<h4>%1</h4><table cellpadding=\"3\">").arg(ShortcutsSheet::tr("Plots")) +
           row(ShortcutsSheet::tr("wheel"), ShortcutsSheet::tr("zoom; with Shift only x, with Ctrl only y")) +
           row(ShortcutsSheet::tr("drag"), ShortcutsSheet::tr("move")) +
           row(ShortcutsSheet::tr("double click"), ShortcutsSheet::tr("show everything")) +
           QStringLiteral("</table><h4>%1</h4><table cellpadding=\"3\">").arg(ShortcutsSheet::tr("Jobs")) +
           row(ShortcutsSheet::tr("Delete"),
               ShortcutsSheet::tr("cancel, resume or remove the picked job, as its button says")) +
           row(ShortcutsSheet::tr("Alt+Up, Alt+Down"), ShortcutsSheet::tr("move a waiting job")) +
           QStringLiteral("</table>");
}

}  // namespace

QString ShortcutsSheet::html(const QList<QAction*>& actions) {
    QString text, menu;
    for (const QAction* action : actions) {
        if (action->shortcut().isEmpty())
            continue;
        const QString of = action->property("menu").toString();
        if (of != menu || text.isEmpty()) {
            text += (text.isEmpty() ? QString() : QStringLiteral("</table>")) +
                    QStringLiteral("<h4>%1</h4><table cellpadding=\"3\">").arg(of.toHtmlEscaped());
            menu = of;
        }
        text +=
            row(action->shortcut().toString(QKeySequence::NativeText), QString(action->text()).remove(u'&'));
    }
    return text + QStringLiteral("</table>") + otherKeys();
}

ShortcutsSheet::ShortcutsSheet(const QList<QAction*>& actions, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keys"));
    auto* text = new QTextBrowser;
    text->setFrameShape(QFrame::NoFrame);
    text->setHtml(html(actions));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->addWidget(text);
    layout->addWidget(buttons);
    resize(60 * kGrid, 68 * kGrid);
}

}  // namespace spd
