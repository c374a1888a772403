#pragma once

#include <QObject>
#include <QPalette>

class QApplication;
class QDBusVariant;

namespace spd {

enum class ThemeChoice { system, light, dark };

/// Fusion with one of our two palettes. `system` takes the desktop portal's color-scheme (asked without
/// waiting: the window first shows what the palette says, and follows when the answer or a change comes),
/// else the lightness of the palette that the platform gave. GUI thread.
class Theme : public QObject {
    Q_OBJECT

public:
    /// Takes the platform's palette as it finds it: make it before anything sets another.
    explicit Theme(QApplication& application);

    void choose(ThemeChoice choice);
    ThemeChoice choice() const { return choice_; }
    bool dark() const { return dark_; }

Q_SIGNALS:
    void changed();

private Q_SLOTS:
    void onPortalSetting(const QString& space, const QString& key, const QDBusVariant& value);

private:
    void askPortal();
    void takePortalScheme(uint scheme);
    void apply();

    QApplication& application_;
    ThemeChoice choice_ = ThemeChoice::system;
    bool platform_is_dark_;
    uint portal_scheme_ = 0;  // 0: no preference or no portal, 1: dark, 2: light
    bool dark_ = false;
};

QPalette lightPalette();
QPalette darkPalette();

/// Widths of the grid, in device-independent pixels.
inline constexpr int kGrid = 8;
inline constexpr int kInner = 12;

}  // namespace spd
