// A new passkey belongs in the list.
document.addEventListener("otp_webauthn.register_complete", () => window.location.reload());
