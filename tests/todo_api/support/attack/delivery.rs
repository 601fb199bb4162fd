//! Unusual ways to send bytes to a server and to read its responses.

use std::{net::SocketAddr, time::Duration};

use fastrand::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// How long an attacker stays connected at most, in milliseconds. It disconnects earlier if the server
/// does.
const PATIENCE: u64 = 2_000;
/// The pause of a slow client between two parts.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends these bytes on a new connection, in a way that follows from the random numbers.
pub(super) async fn deliver(random: &mut Rng, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
    // The system may have no free port for a moment.
    let Ok(stream) = connect(from, to).await else { return };
    // The server may close the connection at any time, and the attacker need not succeed.
    let patience = Duration::from_millis(random.u64(..PATIENCE));
    let _ = timeout(patience, misbehave(random, stream, bytes)).await;
}

async fn connect(from: SocketAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(from)?;
    socket.connect(to).await
}

async fn misbehave(random: &mut Rng, mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let cut = random.usize(..=bytes.len());
    match random.u8(..12) {
        // At once. Then it reads all responses, or a part of them, or nothing.
        0..3 => {
            stream.write_all(bytes).await?;
            read(&mut stream, usize::MAX).await?;
        }
        3 => {
            stream.write_all(bytes).await?;
            read(&mut stream, random.usize(..10_000)).await?;
        }
        4 => stream.write_all(bytes).await?,
        // It closes its sending half in the middle, or at the end.
        5 | 6 => {
            let end = if random.bool() { cut } else { bytes.len() };
            stream.write_all(&bytes[..end]).await?;
            stream.shutdown().await?;
            read(&mut stream, usize::MAX).await?;
        }
        // It stops in the middle, and waits or disconnects.
        7 => {
            stream.write_all(&bytes[..cut]).await?;
            read(&mut stream, usize::MAX).await?;
        }
        8 => stream.write_all(&bytes[..cut]).await?,
        // It resets the connection.
        9 => {
            stream.write_all(&bytes[..cut]).await?;
            if random.bool() {
                read(&mut stream, 1).await?;
            }
            stream.set_zero_linger()?;
        }
        // In many small parts.
        10 => {
            let size = random.usize(1..1_000).max(bytes.len() / 1_000);
            for part in bytes.chunks(size) {
                stream.write_all(part).await?;
                tokio::task::yield_now().await;
            }
            read(&mut stream, usize::MAX).await?;
        }
        // Slowly, both ways.
        _ => {
            for part in bytes.chunks((bytes.len() / 30).max(1)) {
                stream.write_all(part).await?;
                sleep(PAUSE).await;
            }
            loop {
                read(&mut stream, 100).await?;
                sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Reads at most this many bytes, until the server closes the connection.
async fn read(stream: &mut TcpStream, mut bytes: usize) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while bytes > 0 {
        let length = buffer.len().min(bytes);
        match stream.read(&mut buffer[..length]).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes -= read,
        }
    }
    Ok(())
}
