#include "views/shared/theme.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QProxyStyle>
#include <QStyleFactory>

#include "views/shared/colors.h"

namespace spd {

namespace {

const QString kPortal = QStringLiteral("org.freedesktop.portal.Desktop");
const QString kPortalPath = QStringLiteral("/org/freedesktop/portal/desktop");
const QString kPortalSettings = QStringLiteral("org.freedesktop.portal.Settings");
const QString kAppearance = QStringLiteral("org.freedesktop.appearance");
const QString kColorScheme = QStringLiteral("color-scheme");

struct Shades {
    QRgb window, base, alternate, button, text, quiet, accent, on_accent, tooltip, rule;
};

QPalette paletteOf(const Shades& shades) {
    QPalette palette{QColor(shades.button), QColor(shades.window)};
    const QColor text(shades.text);
    palette.setColor(QPalette::Window, QColor(shades.window));
    palette.setColor(QPalette::Base, QColor(shades.base));
    palette.setColor(QPalette::AlternateBase, QColor(shades.alternate));
    palette.setColor(QPalette::Button, QColor(shades.button));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText,
                            QPalette::BrightText})
        palette.setColor(role, text);
    palette.setColor(QPalette::PlaceholderText, QColor(shades.quiet));
    palette.setColor(QPalette::Highlight, QColor(shades.accent));
    palette.setColor(QPalette::HighlightedText, QColor(shades.on_accent));
    palette.setColor(QPalette::Link, QColor(shades.accent));
    palette.setColor(QPalette::LinkVisited, QColor(shades.accent));
    palette.setColor(QPalette::ToolTipBase, QColor(shades.tooltip));
    palette.setColor(QPalette::Mid, QColor(shades.rule));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, QColor(shades.quiet));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(shades.rule));
    return palette;
}

/// Fusion without the pictures on dialogs' buttons: they come from no icon set of ours, and one is red.
class PlainFusion : public QProxyStyle {
public:
    PlainFusion() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* result) const override {
        return hint == SH_DialogButtonBox_ButtonsHaveIcons
                   ? 0
                   : QProxyStyle::styleHint(hint, option, widget, result);
    }
};

}  // namespace

QPalette lightPalette() {
    return paletteOf({.window = 0xfff5f6f7,
                      .base = 0xffffffff,
                      .alternate = 0xfff0f2f4,
                      .button = 0xffeceef0,
                      .text = 0xff1b2127,
                      .quiet = 0xff7a848e,
                      .accent = 0xff1f6fb2,
                      .on_accent = 0xffffffff,
                      .tooltip = 0xfffdfdf4,
                      .rule = 0xffc3cad1});
}

QPalette darkPalette() {
    return paletteOf({.window = 0xff1e2328,
                      .base = 0xff171b1f,
                      .alternate = 0xff1c2126,
                      .button = 0xff2b3138,
                      .text = 0xffe2e6ea,
                      .quiet = 0xff7f8993,
                      .accent = 0xff3d8fd1,
                      .on_accent = 0xffffffff,
                      .tooltip = 0xff2f363d,
                      .rule = 0xff434b54});
}

Theme::Theme(QApplication& application)
    : application_(application), platform_is_dark_(isDark(application.palette())) {
    QApplication::setStyle(new PlainFusion);
    apply();
    askPortal();
}

void Theme::choose(ThemeChoice choice) {
    choice_ = choice;
    apply();
}

void Theme::askPortal() {
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    bus.connect(kPortal, kPortalPath, kPortalSettings, QStringLiteral("SettingChanged"), this,
                SLOT(onPortalSetting(QString, QString, QDBusVariant)));
    QDBusMessage read =
        QDBusMessage::createMethodCall(kPortal, kPortalPath, kPortalSettings, QStringLiteral("Read"));
    read << kAppearance << kColorScheme;
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(read), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        if (!reply.isError())
            onPortalSetting(kAppearance, kColorScheme, reply.value());
        call->deleteLater();
    });
}

void Theme::onPortalSetting(const QString& space, const QString& key, const QDBusVariant& value) {
    if (space != kAppearance || key != kColorScheme)
        return;
    QVariant inner = value.variant();
    if (inner.canConvert<QDBusVariant>())  // Read() wraps twice
        inner = inner.value<QDBusVariant>().variant();
    takePortalScheme(inner.toUInt());
}

void Theme::takePortalScheme(uint scheme) {
    portal_scheme_ = scheme;
    apply();
}

void Theme::apply() {
    const bool system_is_dark = portal_scheme_ == 0 ? platform_is_dark_ : portal_scheme_ == 1;
    dark_ = choice_ == ThemeChoice::system ? system_is_dark : choice_ == ThemeChoice::dark;
    QApplication::setPalette(dark_ ? darkPalette() : lightPalette());
    Q_EMIT changed();
}

}  // namespace spd
