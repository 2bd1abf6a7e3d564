"""Plots of lines on logarithmic axes, as SVG."""

import math

WIDTH, HEIGHT, LEFT, TOP, COLUMNS = 380, 260, 52, 34, 2
COLOURS = ("#0b7285", "#e8590c", "#868e96", "#5f3dc4")


def svg(plots):
    """A plot for each name: lines by name, each of them points (x, y)."""
    rows = math.ceil(len(plots) / COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * COLUMNS}" height="{HEIGHT * rows + 30}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (name, lines) in enumerate(plots.items()):
        place = (number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT)
        parts.append(one(name, lines, place))
    for number, name in enumerate(next(iter(plots.values()), {})):
        x, y = LEFT + number * 140, HEIGHT * rows + 14
        parts.append(f'<rect x="{x}" y="{y - 4}" width="18" height="3" fill="{COLOURS[number % 4]}"/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def one(name, lines, place):
    points = [point for line in lines.values() for point in line]
    xs, ys = ([math.log10(value) for value in axis] for axis in zip(*points))
    # Whole powers of ten, so that lines of two plots may be compared by eye.
    low, high = math.floor(min(ys)), math.ceil(max(ys) + 1e-9)
    left, right = min(xs), max(max(xs), min(xs) + 1e-9)
    width, height = WIDTH - LEFT - 20, HEIGHT - TOP - 40

    def at(x, y):
        across = (math.log10(x) - left) / (right - left) * width
        return LEFT + across, TOP + height - (math.log10(y) - low) / max(high - low, 1) * height

    parts = [f'<g transform="translate({place[0]},{place[1]})">']
    parts.append(f'<text x="{LEFT}" y="{TOP - 12}" font-weight="bold">{name}: µs a request</text>')
    for power in range(low, high + 1):
        _, y = at(10**left, 10**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}h{width}" stroke="#dee2e6"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,g}</text>')
    for x in sorted({x for x, _ in points}):
        across, _ = at(x, 10**low)
        parts.append(f'<text x="{across:.1f}" y="{TOP + height + 16}" text-anchor="middle">{short(x)}</text>')
    for number, line in enumerate(lines.values()):
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in sorted(line))
        colour = COLOURS[number % 4]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "\n".join([*parts, "</g>"])


def short(value):
    """1,048,576 as 1Mi, 5,000 as 5k."""
    if value >= 1024 and value & (value - 1) == 0:
        power = int(math.log2(value)) // 10
        return f"{value >> power * 10}{' KMG'[power]}i"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
