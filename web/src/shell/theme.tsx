import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'gatehouse-theme';

const stored = (): Theme => THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system';

export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
  }, [theme]);
  return (
    <Button className="button plain" onPress={() => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!)}>
      Theme: {theme}
    </Button>
  );
}
