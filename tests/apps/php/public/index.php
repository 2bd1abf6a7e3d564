<?php
// A front controller, as frameworks have one: every path that is no file comes here.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$parts = explode('/', trim($path, '/'));
switch ($parts[0]) {
    case 'redirect':
        header('Location: /target');
        exit;
    case 'missing':
        http_response_code(404);
        echo 'no such page';
        exit;
    case 'cookies':
        setcookie('first', '1');
        setcookie('second', '2', ['httponly' => true, 'path' => '/']);
        exit;
    case 'warn':
        error_log('something is odd');
        echo 'warned';
        exit;
    case 'fatal':
        nothing_of_this_name();
        exit;
    case 'large':
        header('Content-Type: text/plain');
        for ($i = 0; $i < 20000; $i++) {
            echo "line $i of a long answer\n";
        }
        exit;
    case 'download':
        header('X-Accel-Redirect: /private/file.txt');
        exit;
    case 'upload':
        $file = $_FILES['file'];
        echo json_encode(['name' => $file['name'], 'size' => $file['size'], 'sum' => md5_file($file['tmp_name'])]);
        exit;
}
header('Content-Type: application/json');
echo json_encode([
    'method' => $_SERVER['REQUEST_METHOD'],
    'uri' => $_SERVER['REQUEST_URI'],
    'script' => $_SERVER['SCRIPT_NAME'],
    'filename' => basename($_SERVER['SCRIPT_FILENAME']),
    'query' => $_GET,
    'form' => $_POST,
    'host' => $_SERVER['HTTP_HOST'],
    'https' => $_SERVER['HTTPS'] ?? 'off',
    'length' => strlen(file_get_contents('php://input')),
], JSON_UNESCAPED_SLASHES);
