/** Builds the one-line label of a contact. */
public final class ContactLabel {
    private ContactLabel() {
    }

    /** "Name (Company)", or the name alone where no company is known. */
    public static String of(String name, String company) {
        if (name == null || name.trim().isEmpty()) {
            return "(unknown)";
        }
        String label = name.trim();
        if (company != null && !company.trim().isEmpty()) {
            label += " (" + company.trim() + ")";
        }
        return label;
    }
}
