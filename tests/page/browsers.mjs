// The browsers of the tests: the system's Chromium and Firefox, with a fake microphone.
import { createRequire } from 'node:module';
import path from 'node:path';

const PATIENCE = 120000; // for one thing that the browser is asked for: machines are busy

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const PREFERENCES = {
    'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true, 'media.autoplay.default': 0,
    'datareporting.policy.dataSubmissionEnabled': false, 'app.normandy.enabled': false,
};
const BROWSERS = {
    chromium: { browser: 'chrome', executablePath: '/usr/bin/chromium', args: ARGS },
    firefox: { browser: 'firefox', executablePath: '/usr/bin/firefox-esr' },
};

/** A browser; `modules` has puppeteer-core installed, `dark`: the colours that its user prefers. */
export function launch(modules, name, { dark = false } = {}) {
    const puppeteer = createRequire(path.join(modules, 'package.json'))('puppeteer-core');
    const how = BROWSERS[name], prefs = { ...PREFERENCES, 'ui.systemUsesDarkTheme': dark ? 1 : 0 };
    const args = name === 'chromium' && dark ? [...how.args, '--blink-settings=preferredColorScheme=0'] : (how.args ?? []);
    return puppeteer.launch({ ...how, args, headless: true, timeout: PATIENCE, protocolTimeout: PATIENCE, extraPrefsFirefox: prefs });
}
