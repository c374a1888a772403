#include <QTest>
#include <cmath>
#include <limits>

#include "views/shared/colors.h"
#include "views/shared/icons.h"
#include "views/shared/theme.h"

using spd::Role;
using spd::Target;

class tst_Colors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void contrast_data();
    void contrast();
    void pens();
    void cividisRises();
    void icons();
};

namespace {

double linear(double channel) {
    return channel <= 0.03928 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

/// WCAG's relative luminance.
double luminance(const QColor& color) {
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

double contrastOf(const QColor& a, const QColor& b) {
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

}  // namespace

void tst_Colors::contrast_data() {
    QTest::addColumn<QPalette>("palette");
    QTest::addRow("light") << spd::lightPalette();
    QTest::addRow("dark") << spd::darkPalette();
}

void tst_Colors::contrast() {
    QFETCH(QPalette, palette);
    const QColor ground = palette.color(QPalette::Window);
    QCOMPARE(spd::isDark(palette), luminance(ground) < 0.5);
    for (const Role role : {Role::base, Role::spd, Role::psr, Role::ssd, Role::control})
        QVERIFY2(contrastOf(spd::roleColor(role, palette), palette.color(QPalette::Base)) >= 3,
                 qPrintable(spd::roleColor(role, palette).name()));
    QVERIFY(contrastOf(palette.color(QPalette::WindowText), ground) >= 7);
    QVERIFY(contrastOf(spd::quietTextColor(palette), ground) >= 4.5);
    QVERIFY(contrastOf(spd::accentColor(palette), ground) >= 3);
    QVERIFY(contrastOf(spd::statusColor(spd::Status::warning, palette), ground) >= 3);
}

void tst_Colors::pens() {
    const QPalette palette = spd::lightPalette();
    QCOMPARE(spd::rolePen(Role::spd, Target::k, palette).style(), Qt::SolidLine);
    QCOMPARE(spd::rolePen(Role::spd, Target::v, palette).style(), Qt::DotLine);
    QCOMPARE(spd::rolePen(Role::control, Target::k, palette).style(), Qt::DashLine);
}

void tst_Colors::cividisRises() {
    for (int i = 1; i <= 100; ++i)
        QVERIFY(luminance(spd::cividis(i / 100.0)) > luminance(spd::cividis((i - 1) / 100.0)));
    QCOMPARE(spd::cividis(-3), spd::cividis(0));
    QCOMPARE(spd::cividis(std::numeric_limits<double>::quiet_NaN()), QColor(Qt::transparent));
    for (int i = 0; i <= 10; ++i)
        QVERIFY(contrastOf(spd::textOnCividis(i / 10.0), spd::cividis(i / 10.0)) >= 3);
}

void tst_Colors::icons() {
    for (const char* name : {"model", "subspace", "warning", "cancel"})
        QVERIFY2(!spd::icon(QString::fromLatin1(name)).isNull(), name);
    QVERIFY(spd::icon(QStringLiteral("no such")).isNull());
}

QTEST_MAIN(tst_Colors)
#include "tst_colors.moc"
