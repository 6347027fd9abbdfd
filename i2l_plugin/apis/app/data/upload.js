// Sends the chosen or dropped file to this server and tells the page its number, or what went wrong.
const zone = element.querySelector('#zone');
const input = element.querySelector('#file');
const heading = zone.querySelector('b');
const invitation = heading.textContent;

function finish(event) {
  heading.textContent = invitation;
  input.disabled = false;
  input.value = '';
  trigger('upload', event);
}

function send(file) {
  if (input.disabled) return;
  if (file.size > Number(zone.dataset.maxBytes)) {
    const size = (file.size / 1e6).toFixed(1);
    finish({ refused: `“${file.name}” has ${size} MB; at most ${zone.dataset.maxMb} MB are taken.` });
    return;
  }
  input.disabled = true;
  heading.textContent = 'Uploading …';
  const request = new XMLHttpRequest();
  request.open('POST', 'upload');
  request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
  request.responseType = 'json';
  request.upload.onprogress = (event) => {
    heading.textContent = `Uploading … ${Math.floor((100 * event.loaded) / (event.total || 1))} %`;
  };
  request.onload = () => {
    const { job, error } = request.response ?? {};
    finish(job ? { job } : { refused: error ?? 'The upload failed; try again.' });
  };
  request.onerror = () => finish({ refused: 'The upload broke off: the server cannot be reached.' });
  request.send(file);
}

input.addEventListener('change', () => input.files.length && send(input.files[0]));
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  zone.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.toggle('over', ['dragenter', 'dragover'].includes(kind));
    if (kind === 'drop' && event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}
// Beside the zone, a browser would leave the page, and all results, to show the dropped file.
for (const kind of ['dragover', 'drop']) {
  document.addEventListener(kind, (event) => event.preventDefault());
}
