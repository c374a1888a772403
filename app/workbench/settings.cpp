#include "app/workbench/settings.h"

#include <signal.h>
#include <unistd.h>

#include <QStandardPaths>
#include <array>

namespace spd {

namespace {

struct Entry {
    const char* name;
    QVariant otherwise;
};

/// One line a key, in the order of the enum.
const std::array<Entry, Settings::kKeyCount>& table() {
    static const std::array<Entry, Settings::kKeyCount> entries = {{
        {"window/geometry", {}},
        {"window/splitters", {}},
        {"window/page", QStringLiteral("model")},
        {"window/theme", QStringLiteral("system")},
        {"engine/command", QString()},
        {"engine/recent", QStringList()},
        {"window/run_card", true},
        {"window/foot", true},
        {"recovering/what", QString()},
    }};
    return entries;
}

QString defaultPath() {
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
           QStringLiteral("/spd-workbench/workbench.ini");
}

QString keyName(Settings::Key key) {
    return QString::fromLatin1(table()[key].name);
}

constexpr int kSaveMilliseconds = 1000;

}  // namespace

Settings::Settings(const QString& path)
    : settings_(path.isEmpty() ? defaultPath() : path, QSettings::IniFormat) {
    save_.setSingleShot(true);
    save_.setInterval(kSaveMilliseconds);
    connect(&save_, &QTimer::timeout, this, &Settings::saveNow);
}

Settings::~Settings() {
    saveNow();
}

QVariant Settings::value(Key key) const {
    return settings_.value(keyName(key), table()[key].otherwise);
}

void Settings::set(Key key, const QVariant& value) {
    if (settings_.value(keyName(key)) == value)
        return;
    settings_.setValue(keyName(key), value);
    saveSoon();
}

QVariantMap Settings::form(const QString& page) const {
    return settings_.value(QStringLiteral("forms/") + page).toMap();
}

void Settings::setForm(const QString& page, const QVariantMap& form) {
    if (Settings::form(page) == form)
        return;
    settings_.setValue(QStringLiteral("forms/") + page, form);
    saveSoon();
}

void Settings::saveSoon() {
    if (!save_.isActive())
        save_.start();
}

void Settings::saveNow() {
    save_.stop();
    settings_.sync();
    Q_EMIT saved();
}

/// The marker is "PID COMMAND": that of a window which still runs says nothing of how it ended.
bool Settings::beginRecovering(const QString& what) {
    const QString marker = value(kRecovering).toString();
    const auto holder = static_cast<pid_t>(marker.section(u' ', 0, 0).toLongLong());
    const bool is_alive = holder > 0 && holder != getpid() && kill(holder, 0) == 0;
    const bool broke_off = !is_alive && marker.section(u' ', 1) == what;
    if (!is_alive) {
        settings_.setValue(keyName(kRecovering),
                           broke_off ? QString() : QStringLiteral("%1 %2").arg(getpid()).arg(what));
        settings_.sync();
    }
    return !broke_off;
}

void Settings::endRecovering() {
    if (value(kRecovering).toString().section(u' ', 0, 0).toLongLong() != getpid())
        return;
    settings_.setValue(keyName(kRecovering), QString());
    settings_.sync();
}

}  // namespace spd
